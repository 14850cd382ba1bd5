"""The keys of the offices. The service reads their certificates only; a private key is used in the process pool."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from services.certificates.documents.orders import SealOrder
from shared.refusals import Unavailable

WITHDRAWN = "withdrawn.json"


@dataclass(frozen=True)
class OfficeKey:
    """The present key of an office: its id, its file and its certificate."""

    office: str
    key_id: str
    keystore: Path
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class OfficeKeys:
    """The keys of all offices. `withdrawn`: stolen keys, with the instant since which their seals are not trusted."""

    keys: dict[str, OfficeKey]
    withdrawn: dict[str, datetime]
    password_file: Path

    @classmethod
    def read(cls, folder: Path, password_file: Path) -> Self:
        """Reads the certificates of a folder. Raises ValueError with the name of a wrong file."""
        password = password_file.read_bytes().strip()
        keys = {file.stem: _key_in(file, password) for file in sorted(folder.glob("*.p12"))}
        stolen = folder / WITHDRAWN
        since: dict[str, str] = json.loads(stolen.read_text()) if stolen.exists() else {}
        withdrawn = {key_id: datetime.fromisoformat(text).astimezone(UTC) for key_id, text in since.items()}
        return cls(keys, withdrawn, password_file)

    def of(self, office: str, on: date) -> OfficeKey:
        """The key of an office. Raises Unavailable if there is none that may seal on a day."""
        key = self.keys.get(office)
        if key is None:
            raise Unavailable(f"office {office} has no key to seal with")
        if key.key_id in self.withdrawn:
            raise Unavailable(f"the key of office {office} is withdrawn")
        if not key.certificate.not_valid_before_utc.date() <= on <= key.certificate.not_valid_after_utc.date():
            raise Unavailable(f"the certificate of office {office} is not valid today")
        return key


@dataclass(frozen=True)
class Sealing:
    """How this instance seals: its keys, the address of the public check, and the server for time stamps."""

    keys: OfficeKeys
    public_address: str
    time_stamp_url: str = ""

    @property
    def check_at(self) -> str:
        """The address of the public check."""
        return f"{self.public_address}/verify"

    @property
    def issuer(self) -> str:
        """The issuer of credentials: the `did:web` of the public site."""
        return f"did:web:{quote(urlsplit(self.public_address).netloc, safe='')}"

    @property
    def status_lists(self) -> str:
        """The address below which the status of credentials stands."""
        return f"{self.public_address}/.well-known/status"

    def order(self, certificate_id: UUID, office: str, code: str, on: date, at: datetime) -> SealOrder:
        """How to seal a document of an office at an instant, which is on this local date. Raises Unavailable."""
        key = self.keys.of(office, on)
        return SealOrder(
            keystore=key.keystore,
            password_file=self.keys.password_file,
            key_id=key.key_id,
            code=code,
            issuer=self.issuer,
            credential_id=f"urn:uuid:{certificate_id}",
            status_lists=self.status_lists,
            sealed_at=at,
            time_stamp_url=self.time_stamp_url,
        )


def _key_in(file: Path, password: bytes) -> OfficeKey:
    try:
        _, certificate, _ = pkcs12.load_key_and_certificates(file.read_bytes(), password)
    except ValueError as error:
        raise ValueError(f"{file.name} cannot be read with the password: {error}") from None
    if certificate is None:
        raise ValueError(f"{file.name} has no certificate")
    key_id = f"{file.stem}-{certificate.fingerprint(SHA256()).hex()[:8]}"
    return OfficeKey(file.stem, key_id, file, certificate)
