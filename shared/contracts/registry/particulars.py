"""The particulars of a company, and the documents that prove them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import StringConstraints

from shared.contracts.fields import Email, Line, Sha256, Text
from shared.contracts.messages import Answer, Contract, GetFile, Part, PutFile, Question
from shared.contracts.roles import Role

TaxNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9][A-Z0-9-]{5,19}$")]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9][0-9 ()/-]{5,29}$")]
DistrictCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class DocumentKind(StrEnum):
    """The documents of an application."""

    CERTIFICATE_OF_INCORPORATION = "certificate_of_incorporation"
    GSP_MFN_CERTIFICATE = "gsp_mfn_certificate"
    LETTER_OF_AUTHORISATION = "letter_of_authorisation"
    IDENTITY_DOCUMENT = "identity_document"
    PHOTO = "photo"


class Representative(Part):
    """The person who represents the company before the ministry and signs for it."""

    name: Line
    name_km: Line | None = None
    position: Line
    born_on: date | None = None


class Particulars(Part):
    """The particulars that a company declares. `address`: number, street and village. `district`: a code of the list.

    Certificates have the English name and address; documents of the ministry in Khmer have the Khmer ones.
    """

    company_name: Line
    company_name_km: Line | None = None
    address: Text
    address_km: Text | None = None
    district: DistrictCode | None = None
    phone: Phone | None = None
    contact_email: Email | None = None
    representative: Representative | None = None


class Place(Contract):
    """A district with its province, in both languages."""

    district: str
    name_en: str
    name_km: str
    province_en: str
    province_km: str


class Places(Answer):
    """Every district, by province and code: at most a few hundred."""

    places: tuple[Place, ...]


class ListPlaces(Question):
    """Which districts are there? An applicant chooses one before there is an account."""

    subject: ClassVar[str] = "qry.places.list.v1"
    answer: ClassVar[type[Answer]] = Places
    anonymous: ClassVar[bool] = True


class Paper(Contract):
    """A submitted document. `sha256`: of its file."""

    kind: DocumentKind
    sha256: Sha256


class PutRegistrationFile(PutFile):
    """Stores a chunk of a document of a registration. A document has at most 5 MB."""

    subject: ClassVar[str] = "cmd.registration-file.put.v1"
    limit: ClassVar[int] = 5 * 1024 * 1024


class GetRegistrationFile(GetFile):
    """A chunk of a document of a registration."""

    subject: ClassVar[str] = "qry.registration-file.get.v1"
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER, Role.AUDITOR})
