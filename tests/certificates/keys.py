"""Keys of the offices for tests, and the tools of the service with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy import pki
from deploy.offices import issuing_offices
from services.certificates.documents.keys import OfficeKeys, Sealing
from services.certificates.publishing import StatusLists
from services.certificates.reference_data import ReferenceData
from services.certificates.store.nomenclature import KeptNomenclature
from services.certificates.store.origin_rules import KeptOriginRules

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = b"only for tests"


@dataclass(frozen=True)
class Keys:
    """The keys of all offices, valid at every instant of a test, and their authority as PEM."""

    folder: TemporaryDirectory[str]
    authority: Path
    password_file: Path

    @property
    def keystores(self) -> Path:
        """The folder with the PKCS#12 files."""
        return self.authority.parent / "keys"

    def read(self) -> OfficeKeys:
        """The keys as the service reads them."""
        return OfficeKeys.read(self.keystores, self.password_file)


def new_keys() -> Keys:
    """New keys. Their folder is deleted when nobody uses them any longer."""
    folder = TemporaryDirectory(prefix="co-keys-")
    root = Path(folder.name)
    by = pki.document_authority("KH", since=SINCE)
    made = Keys(folder, root / "authority.crt", root / "password")
    made.keystores.mkdir()
    made.authority.write_bytes(by.certificate)
    made.password_file.write_bytes(PASSWORD)
    for office in issuing_offices():
        keystore = pki.document_keystore(office, "KH", by, PASSWORD, since=SINCE)
        (made.keystores / f"{office}.p12").write_bytes(keystore)
    return made


@cache
def office_keys() -> Keys:
    """The keys of most tests, created once."""
    return new_keys()


def a_sealing(*, time_stamp_url: str = "") -> Sealing:
    """How documents are sealed in tests."""
    return Sealing(office_keys().read(), "https://co.example", time_stamp_url)


def certificate_tools() -> Iterable[object]:
    """The objects that the handlers of certificates use."""
    return ReferenceData.load(), StatusLists(), KeptNomenclature(), KeptOriginRules(), a_sealing()
