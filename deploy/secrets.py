"""The secrets of one instance, created once: seeds of the bus, keys, certificates and passwords."""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType

import nkeys
from joserfc.jwk import OKPKey

from deploy import pki
from shared.security.event_signatures import event_keys_json

RETIRED_AFTER = timedelta(hours=1)
"""How long the former token key is valid after the next one signs. Tokens last 15 minutes."""
EVENT_KEYS = "event-keys.json"
"""The name of the file with the public keys to verify events, beside the seeds of a country."""
WITHDRAWN = "withdrawn.json"
"""The name of the file with stolen keys of documents, beside the keys."""
DELETED_AFTER = timedelta(days=30)
"""How long a retired key stays in the file, so that every replica announces its end."""


class Secrets:
    """The files of the secrets of one run, readable by their owner only.

    `make` creates missing secrets and never changes existing ones.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry_signing_key = folder / "registry-signing-key.json"
        self.second_factor_key = folder / "second-factor-key"
        self.administrator_password = folder / "administrator-password"
        self.smtp_password = folder / "smtp-password"
        """The password for the ministry's mail server. It is given by the ministry, not created here."""
        self.ca_certificate, self._ca_key = folder / "ca.crt", folder / "ca.key"
        self.document_keys = folder / "documents" / "keys"
        """The keys that seal documents, one PKCS#12 file for each office, and `withdrawn.json`."""
        self.document_password = folder / "documents" / "password"
        self.document_authority = folder / "documents" / "authority.crt"
        self._document_authority_key = folder / "documents" / "authority.key"

    def seed(self, country: str, user: str) -> Path:
        """The file with the nkey seed of a user of the bus."""
        return self.folder / "bus" / country / f"{user}.seed"

    def public_key(self, country: str, user: str) -> str:
        """The public nkey of a user."""
        return str(nkeys.from_seed(self.seed(country, user).read_bytes()).public_key.decode())

    def public_keys(self, country: str, user: str, now: datetime) -> tuple[str, ...]:
        """The public nkeys that the bus accepts for this user: the present one, and former ones until they end."""
        former = [key for key, until in self._former_keys(country, user).items() if until > now]
        return (self.public_key(country, user), *former)

    def event_keys(self, country: str, services: Iterable[str]) -> dict[str, dict[str, datetime | None]]:
        """The public nkeys to verify the events of each service: the present one (None) and former ones with their ends."""
        return {
            service: {self.public_key(country, service): None} | self._former_keys(country, service) for service in services
        }

    def event_keys_file(self, country: str) -> Path:
        """The file with the public keys to verify events, beside the seeds of a country."""
        return self.folder / "bus" / country / EVENT_KEYS

    def write_event_keys(self, country: str, services: Iterable[str]) -> Path:
        """Writes the public keys of these services only; returns the file."""
        file = self.event_keys_file(country)
        self._replace(file, event_keys_json(self.event_keys(country, services)))
        return file

    def rotate_bus_key(self, country: str, service: str, former_until: datetime) -> str:
        """Creates the next nkey of a service. Events of the former one are valid if stored before `former_until`.

        Returns the new public nkey. Raises FileNotFoundError if the service has none yet.
        """
        former = self._former_keys(country, service) | {self.public_key(country, service): former_until}
        kept = {
            key: until.isoformat() for key, until in former.items()
        }  # never deleted, because seals of the audit log name them
        self._replace(self._former_file(country, service), json.dumps(kept, indent=1).encode())
        self._replace(self.seed(country, service), nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
        return self.public_key(country, service)

    def _former_file(self, country: str, user: str) -> Path:
        return self.seed(country, user).with_name(f"{user}.former-keys.json")

    def _former_keys(self, country: str, user: str) -> dict[str, datetime]:
        file = self._former_file(country, user)
        if not file.exists():
            return {}
        return {key: datetime.fromisoformat(until) for key, until in json.loads(file.read_text()).items()}

    def signing_certificate(self, country: str) -> Path:
        """The certificate to verify the messages of a country."""
        return self.folder / "exchange" / f"{country}.crt"

    def signing_key(self, country: str) -> Path:
        """The key that signs the messages of a country."""
        return self.folder / "exchange" / f"{country}.key"

    def document_keystore(self, office: str) -> Path:
        """The key of an office that seals documents, as PKCS#12."""
        return self.document_keys / f"{office}.p12"

    def rotate_document_key(self, office: str, country: str, stolen_since: datetime | None = None) -> tuple[str, str]:
        """Creates the next key of an office; returns the ids of the former and the next one.

        `stolen_since`: seals of the former key are refused from then on. Without it they stay valid.
        Raises FileNotFoundError if the office has none yet.
        """
        file, password = self.document_keystore(office), self.document_password.read_bytes()
        former = pki.document_key_id(office, file.read_bytes(), password)
        if stolen_since:
            withdrawn = self.document_keys / WITHDRAWN
            known = json.loads(withdrawn.read_text()) if withdrawn.exists() else {}
            self._replace(withdrawn, json.dumps(known | {former: stolen_since.isoformat()}, indent=1).encode())
        self._replace(file, self._new_keystore(office, country))
        return former, pki.document_key_id(office, file.read_bytes(), password)

    def tls_certificate(self, host: str) -> Path:
        """The TLS certificate of a machine."""
        return self.folder / "tls" / f"{host}.crt"

    def tls_key(self, host: str) -> Path:
        """The key of the TLS certificate of a machine."""
        return self.folder / "tls" / f"{host}.key"

    def database_password(self, host: str, role: str) -> Path:
        """The password of a role in the database on a machine."""
        return self.folder / "databases" / host / f"{role}.password"

    def make(
        self,
        users: Mapping[str, tuple[str, ...]],
        hosts: Iterable[str] = ("localhost",),
        roles: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        offices: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ) -> list[Path]:
        """Creates the missing secrets and returns their files.

        `users`: the bus users of each country; `hosts`: machines with a TLS certificate; `roles`: the roles of each database;
        `offices`: the offices of each country that seal documents.
        """
        before = self._present()
        for country, names in users.items():
            for user in names:
                self._write_new(self.seed(country, user), nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
            pair = self.signing_certificate(country), self.signing_key(country)
            self._write_new_pair(*pair, partial(pki.document_signer, country))
        self._write_new(self.registry_signing_key, json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True)).encode())
        self._write_new(self.second_factor_key, secrets.token_urlsafe(32).encode())
        self._write_new(self.administrator_password, secrets.token_urlsafe(18).encode())
        self._write_new_pair(self.ca_certificate, self._ca_key, pki.authority)
        for host in hosts:
            pair = self.tls_certificate(host), self.tls_key(host)
            self._write_new_pair(*pair, partial(self._machine, host))
        for country, codes in offices.items():
            self._write_new(self.document_password, secrets.token_urlsafe(32).encode())
            pair = self.document_authority, self._document_authority_key
            self._write_new_pair(*pair, partial(pki.document_authority, country))
            for office in codes:
                if not self.document_keystore(office).exists():
                    self._write_new(self.document_keystore(office), self._new_keystore(office, country))
        for host, names in roles.items():
            for role in names:
                self._write_new(self.database_password(host, role), secrets.token_urlsafe(24).encode())
        return sorted(self._present() - before)

    def rotate_token_key(self, now: datetime, signs_from: datetime, retired_after: timedelta = RETIRED_AFTER) -> str:
        """Adds a token key that signs from `signs_from` on, and retires the former ones `retired_after` later. Returns its id.

        The file becomes a JWK set. Keys that ended 30 days ago are deleted.
        """
        content = json.loads(self.registry_signing_key.read_text())
        keys = [key for key in content.get("keys", [content]) if _instant(key.get("valid_until")) > now - DELETED_AFTER]
        for key in keys:
            key["valid_until"] = min(_instant(key.get("valid_until")), signs_from + retired_after).isoformat()
        new = OKPKey.generate_key("Ed25519")
        keys.append(new.as_dict(private=True) | {"signs_from": signs_from.isoformat()})
        self._replace(self.registry_signing_key, json.dumps({"keys": keys}, indent=1).encode())
        return new.thumbprint()

    def _replace(self, path: Path, content: bytes) -> None:
        """Replaces a file atomically."""
        new = path.with_name(f".next-{path.name}")
        new.unlink(missing_ok=True)
        self._write_new(new, content)
        new.rename(path)

    def _new_keystore(self, office: str, country: str) -> bytes:
        authority = pki.Pair(self.document_authority.read_bytes(), self._document_authority_key.read_bytes())
        return pki.document_keystore(office, country, authority, self.document_password.read_bytes())

    def _machine(self, host: str) -> pki.Pair:
        return pki.machine(host, self._authority())

    def _authority(self) -> pki.Pair:
        return pki.Pair(self.ca_certificate.read_bytes(), self._ca_key.read_bytes())

    def _present(self) -> set[Path]:
        return {path for path in self.folder.rglob("*") if path.is_file()}

    def _write_new_pair(self, certificate: Path, key: Path, make: Callable[[], pki.Pair]) -> None:
        """Writes the key first, so that a certificate never exists without its key."""
        if not certificate.exists():
            pair = make()
            key.unlink(missing_ok=True)
            self._write_new(key, pair.key)
            self._write_new(certificate, pair.certificate)

    def _write_new(self, path: Path, content: bytes) -> None:
        """Writes a file atomically, unless it exists."""
        if path.exists():
            return
        for folder in reversed(path.parents):
            folder.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.with_name(f".{path.name}")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        unfinished.rename(path)


def _instant(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.max.replace(tzinfo=UTC)
