"""Registrations of exporters: the ministry's yes to a company, for a year."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Email, Instant, Line, Secret, Sha256, Text
from shared.contracts.messages import Answer, Command, Contract, Event, Question
from shared.contracts.registry.particulars import (
    DistrictCode,
    DocumentKind,
    Paper,
    Particulars,
    Phone,
    Place,
    Representative,
    TaxNumber,
)
from shared.contracts.roles import Role

HANDING_IN = frozenset({Role.COMPANY_ADMINISTRATOR, Role.SIGNATORY})
"""Who asks for a registration in the name of a company."""
MAX_ACTS = 100
"""Acts of a history that are shown at a time."""


class RegistrationStatus(StrEnum):
    """Where a registration stands."""

    APPLIED = "applied"
    RETURNED = "returned"
    REFUSED = "refused"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class RenewalStatus(StrEnum):
    """Where the application for another year stands."""

    APPLIED = "applied"
    RETURNED = "returned"


class Renewal(Contract):
    """The application for another year: the present particulars of the company, and its documents."""

    status: RenewalStatus
    particulars: Particulars
    papers: tuple[Paper, ...] = ()
    remarks: str | None = None


class RegistrationState(Answer):
    """A registration as its company and the ministry see it. `reason`: why it was returned, refused or suspended.

    `lacks`: what must still be handed in before it can be approved, as names of particulars and documents.
    """

    exporter_id: UUID
    company_name: str
    tax_number: str
    status: RegistrationStatus
    documents: tuple[DocumentKind, ...]
    valid_from: date | None = None
    valid_until: date | None = None
    reason: str | None = None
    version: int
    particulars: Particulars | None = None
    place: Place | None = None
    papers: tuple[Paper, ...] = ()
    renewal: Renewal | None = None
    renewable_from: date | None = None
    lacks: tuple[str, ...] = ()


class ApplyForRegistration(Command):
    """A company asks to be registered, and names the person who will administer its account.

    `exporter_id` is chosen by the applicant, so that an application sent twice is one.
    """

    subject: ClassVar[str] = "cmd.registration.apply-for.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    exporter_id: UUID
    company_name: Line
    address: Text
    tax_number: TaxNumber
    administrator_name: Line
    email: Email
    password: Secret
    company_name_km: Line | None = None
    address_km: Text | None = None
    district: DistrictCode | None = None
    phone: Phone | None = None
    contact_email: Email | None = None
    representative: Representative | None = None


class AttachRegistrationDocument(Command):
    """The applicant names an uploaded file as a document of the registration.

    The file is examined before it is taken, so no officer ever opens one that was not. Naming it again changes nothing.
    """

    subject: ClassVar[str] = "cmd.registration-document.attach.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    secret: ClassVar[bool] = True  # a file is examined between two transactions, so no answer can be stored in the first
    exporter_id: UUID
    kind: DocumentKind
    sha256: Sha256


class CorrectRegistration(Command):
    """The applicant changes what the application, or the renewal, says of the company."""

    subject: ClassVar[str] = "cmd.registration.correct.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = HANDING_IN
    exporter_id: UUID
    particulars: Particulars
    tax_number: TaxNumber | None = None


class HandInRegistration(Command):
    """The applicant hands in again what was returned or refused."""

    subject: ClassVar[str] = "cmd.registration.hand-in.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = HANDING_IN
    exporter_id: UUID


class RenewRegistration(Command):
    """The company asks for another year; where it says nothing new of itself, what is known holds."""

    subject: ClassVar[str] = "cmd.registration.renew.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = HANDING_IN
    exporter_id: UUID
    particulars: Particulars | None = None


class ApproveRegistration(Command):
    """An officer registers the company for a year, or for another one.

    `version`: what the officer has seen; if the applicant has changed anything since, nothing is approved.
    """

    subject: ClassVar[str] = "cmd.registration.approve.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    version: Annotated[int, Field(ge=1)] | None = None


class ReturnRegistration(Command):
    """An officer gives the application, or the renewal, back for correction, saying what to correct."""

    subject: ClassVar[str] = "cmd.registration.return.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    exporter_id: UUID
    remarks: Text


class RefuseRegistration(Command):
    """An officer refuses the application, or the renewal, with the reason."""

    subject: ClassVar[str] = "cmd.registration.refuse.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class SuspendRegistration(Command):
    """An officer suspends a registration, with the reason: nothing can be submitted until it is reinstated."""

    subject: ClassVar[str] = "cmd.registration.suspend.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class ReinstateRegistration(Command):
    """An officer reinstates a suspended registration, with the reason; its year is not prolonged."""

    subject: ClassVar[str] = "cmd.registration.reinstate.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class GetRegistration(Question):
    """Where does this registration stand?"""

    subject: ClassVar[str] = "qry.registration.get.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    exporter_id: UUID


class RegistrationAct(Contract):
    """One act on a registration. `version` is that of the registration after it; acts of the calendar have no person."""

    version: int
    act: str
    at: Instant
    user_id: UUID | None = None
    organisation: str | None = None
    remarks: str | None = None
    document: DocumentKind | None = None
    sha256: Sha256 | None = None
    valid_from: date | None = None
    valid_until: date | None = None


class RegistrationHistory(Answer):
    """Acts, the latest first; `go_on_before` is there where there are older ones."""

    exporter_id: UUID
    acts: tuple[RegistrationAct, ...]
    go_on_before: int | None = None


class GetRegistrationHistory(Question):
    """Who did what with this registration, and when? `before`: the version from which to go on to older acts."""

    subject: ClassVar[str] = "qry.registration-history.get.v1"
    answer: ClassVar[type[Answer]] = RegistrationHistory
    exporter_id: UUID
    before: Annotated[int, Field(ge=1)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ACTS)] = 50


class RegistrationApproved(Event):
    """A company may ask for certificates from `valid_from` until `valid_until`, both days included; renewals say it anew."""

    subject: ClassVar[str] = "evt.registration.approved.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID
    name: str
    address: str
    valid_from: date
    valid_until: date


class RegistrationSuspended(Event):
    """A company may not ask for certificates until it is reinstated."""

    subject: ClassVar[str] = "evt.registration.suspended.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID


class RegistrationReinstated(Event):
    """A company that was suspended may ask for certificates again, within its year."""

    subject: ClassVar[str] = "evt.registration.reinstated.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID


class RegistrationExpired(Event):
    """The year of a company is over: it may not ask for certificates until it is registered for another one."""

    subject: ClassVar[str] = "evt.registration.expired.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID
