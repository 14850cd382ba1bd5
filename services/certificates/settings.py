"""The settings of certificates, and the objects that its handlers use."""

from collections.abc import Iterable

from pydantic import DirectoryPath, Field, FilePath

from services.certificates.documents.keys import OfficeKeys, Sealing
from services.certificates.form_files import FormFileWrong
from services.certificates.publishing import StatusLists
from services.certificates.reference_data import ReferenceData
from services.certificates.store.nomenclature import KeptNomenclature
from services.certificates.store.origin_rules import KeptOriginRules
from shared.settings import Settings, SettingsWrong

ADDRESS = r"^https?://[^\s\"'<>]{1,200}[^\s\"'<>/]$"


class CertificatesSettings(Settings):
    """The keys that seal documents, and the address of the public check."""

    document_keys_dir: DirectoryPath
    """The folder with `OFFICE.p12` for each office (PKCS#12, EC P-256), and `withdrawn.json`, if a key was stolen."""
    document_keys_password_file: FilePath
    """The password of these files."""
    public_address: str = Field(default="http://localhost:8080", pattern=ADDRESS)
    """The address of the public site, which QR codes lead to. It is printed, so it must stay."""
    time_stamp_url: str = Field(default="", pattern=r"^(https?://[^\s\"'<>]{1,200})?$")
    """The server for time stamps (RFC 3161); empty: seals have no time stamp."""


def tools(settings: CertificatesSettings) -> Iterable[object]:
    """The objects that the handlers of certificates use."""
    try:
        yield ReferenceData.load()
    except FormFileWrong as error:
        raise SettingsWrong(f"A form cannot be used: {error}.") from None
    try:
        keys = OfficeKeys.read(settings.document_keys_dir, settings.document_keys_password_file)
    except ValueError as error:
        raise SettingsWrong.because(f"CO_DOCUMENT_KEYS_DIR ({error})") from None
    yield StatusLists()
    yield KeptNomenclature()
    yield KeptOriginRules()
    yield Sealing(keys, settings.public_address, settings.time_stamp_url)
