"""Registry: who may ask. Registrations of exporters, users and their roles, sessions, signing keys."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.catalogue import SERVICES
from shared.contracts.kinds import (
    Answer,
    Command,
    Email,
    Event,
    GetFile,
    Instant,
    Line,
    Office,
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


class Role(StrEnum):
    """What a person may do: the first three at a company, the last at customs, the others at the ministry."""

    COMPANY_ADMINISTRATOR = "company_administrator"
    PREPARER = "preparer"
    SIGNATORY = "signatory"
    REGISTRATION_OFFICER = "registration_officer"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    CASHIER = "cashier"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CUSTOMS_VIEWER = "customs_viewer"


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


class UserState(Answer):
    """A person with an account."""

    user_id: UUID
    name: str
    organisation: str
    roles: tuple[Role, ...]


class AddUser(Command):
    """An administrator gives a colleague an account: at the same company, or at an office of the ministry."""

    subject: ClassVar[str] = "cmd.user.add.v1"
    answer: ClassVar[type[Answer]] = UserState
    secret: ClassVar[bool] = True
    user_id: UUID
    name: Line
    email: Email
    password: Secret
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=10)]
    office: Office | None = None


class Session(Answer):
    """A session and the token to send with every request until it expires."""

    session_id: UUID
    user_id: UUID
    organisation: str
    roles: tuple[Role, ...]
    token: str
    expires_at: datetime


class OpenSession(Command):
    """A person signs in."""

    subject: ClassVar[str] = "cmd.session.open.v1"
    answer: ClassVar[type[Answer]] = Session
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SessionEnded(Answer):
    """The session that is over."""

    session_id: UUID


class RevokeSession(Command):
    """A person signs out; the token is refused everywhere from then on."""

    subject: ClassVar[str] = "cmd.session.revoke.v1"
    answer: ClassVar[type[Answer]] = SessionEnded


class RegistrationApproved(Event):
    """A company may ask for certificates until `valid_until`, that day included."""

    subject: ClassVar[str] = "evt.registration.approved.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    exporter_id: UUID
    name: str
    address: str
    valid_from: date
    valid_until: date


class SessionRevoked(Event):
    """A session is over; `until` is when its last token would have expired."""

    subject: ClassVar[str] = "evt.session.revoked.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    session_id: UUID
    until: Instant


class SigningKeyPublished(Event):
    """Tokens signed with this key are valid within these instants. `public_key`: a JWK (RFC 7517) as JSON."""

    subject: ClassVar[str] = "evt.signing-key.published.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    key_id: str
    public_key: str
    not_before: Instant
    not_after: Instant
