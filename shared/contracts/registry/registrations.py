"""Registrations of exporters: the ministry's yes to a company, for a year."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import StringConstraints

from shared.contracts.kinds import (
    Answer,
    Command,
    Email,
    Event,
    GetFile,
    Line,
    PutFile,
    Question,
    Secret,
    Sha256,
    Text,
)

TaxNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9][A-Z0-9-]{5,19}$")]


class RegistrationStatus(StrEnum):
    """Where a registration stands."""

    APPLIED = "applied"
    ACTIVE = "active"
    REFUSED = "refused"


class DocumentKind(StrEnum):
    """What an applicant hands in."""

    CERTIFICATE_OF_INCORPORATION = "certificate_of_incorporation"
    LETTER_OF_AUTHORISATION = "letter_of_authorisation"


class RegistrationState(Answer):
    """A registration as its company and the ministry see it."""

    exporter_id: UUID
    company_name: str
    tax_number: str
    status: RegistrationStatus
    documents: tuple[DocumentKind, ...]
    valid_from: date | None = None
    valid_until: date | None = None
    reason: str | None = None
    version: int


class ApplyForRegistration(Command):
    """A company asks to be registered, and names the person who will administer its account.

    `exporter_id` is chosen by the applicant, so that an application sent twice is one.
    """

    subject: ClassVar[str] = "cmd.registration.apply-for.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    exporter_id: UUID
    company_name: Line
    address: Text
    tax_number: TaxNumber
    administrator_name: Line
    email: Email
    password: Secret


class PutRegistrationFile(PutFile):
    """A piece of a document of a registration; at most 5 MB as a whole."""

    subject: ClassVar[str] = "cmd.registration-file.put.v1"
    limit: ClassVar[int] = 5 * 1024 * 1024


class GetRegistrationFile(GetFile):
    """A piece of a document of a registration."""

    subject: ClassVar[str] = "qry.registration-file.get.v1"


class AttachRegistrationDocument(Command):
    """The applicant names an uploaded file as a document of the registration."""

    subject: ClassVar[str] = "cmd.registration-document.attach.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    exporter_id: UUID
    kind: DocumentKind
    sha256: Sha256


class ApproveRegistration(Command):
    """An officer registers the company for a year."""

    subject: ClassVar[str] = "cmd.registration.approve.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    exporter_id: UUID


class RefuseRegistration(Command):
    """An officer refuses the application, with the reason."""

    subject: ClassVar[str] = "cmd.registration.refuse.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    exporter_id: UUID
    reason: Text


class GetRegistration(Question):
    """Where does this registration stand?"""

    subject: ClassVar[str] = "qry.registration.get.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    exporter_id: UUID


class RegistrationApproved(Event):
    """A company may ask for certificates until `valid_until`, that day included."""

    subject: ClassVar[str] = "evt.registration.approved.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    exporter_id: UUID
    name: str
    address: str
    valid_from: date
    valid_until: date
