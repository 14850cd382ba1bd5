"""Registrations of exporters. The ministry registers a company for one year."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Email, Line, Secret, Sha256, Text
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

APPLICANT_ROLES = frozenset({Role.COMPANY_ADMINISTRATOR, Role.SIGNATORY})
"""The roles that may apply for a registration for a company."""


class RegistrationStatus(StrEnum):
    """The status of a registration."""

    APPLIED = "applied"
    RETURNED = "returned"
    REFUSED = "refused"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class RenewalStatus(StrEnum):
    """The status of an application for another year."""

    APPLIED = "applied"
    RETURNED = "returned"


class Renewal(Contract):
    """The application for another year, with the new particulars and documents."""

    status: RenewalStatus
    particulars: Particulars
    papers: tuple[Paper, ...] = ()
    remarks: str | None = None


class RegistrationState(Answer):
    """A registration as its company and the ministry see it. `reason`: why it was returned, refused or suspended.

    `lacks`: the names of the particulars and documents that are missing for the approval.
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
    """A company applies for registration, and names the administrator of its accounts.

    The applicant chooses `exporter_id`, so that an application sent twice is one.
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
    """The applicant attaches an uploaded file as a document of the registration. A duplicate changes nothing.

    The service examines the file first, so an officer opens only examined files.
    """

    subject: ClassVar[str] = "cmd.registration-document.attach.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    secret: ClassVar[bool] = True  # the file is examined between two transactions, so the first can store no answer
    exporter_id: UUID
    kind: DocumentKind
    sha256: Sha256


class CorrectRegistration(Command):
    """The applicant corrects the particulars of the application or of the renewal."""

    subject: ClassVar[str] = "cmd.registration.correct.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = APPLICANT_ROLES
    exporter_id: UUID
    particulars: Particulars
    tax_number: TaxNumber | None = None


class HandInRegistration(Command):
    """The applicant submits a returned or refused application again."""

    subject: ClassVar[str] = "cmd.registration.hand-in.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = APPLICANT_ROLES
    exporter_id: UUID


class RenewRegistration(Command):
    """The company applies for another year. Without `particulars` it keeps the present ones."""

    subject: ClassVar[str] = "cmd.registration.renew.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = APPLICANT_ROLES
    exporter_id: UUID
    particulars: Particulars | None = None


class ApproveRegistration(Command):
    """An officer registers the company for a year, or for another year.

    `version`: that of the registration that the officer has read. It is refused if the applicant has changed it since.
    """

    subject: ClassVar[str] = "cmd.registration.approve.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    version: Annotated[int, Field(ge=1)] | None = None


class ReturnRegistration(Command):
    """An officer returns the application or the renewal for correction. `remarks`: what to correct."""

    subject: ClassVar[str] = "cmd.registration.return.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    exporter_id: UUID
    remarks: Text


class RefuseRegistration(Command):
    """An officer refuses the application or the renewal, with the reason."""

    subject: ClassVar[str] = "cmd.registration.refuse.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class SuspendRegistration(Command):
    """An officer suspends a registration, with the reason. The company can submit nothing until it is reinstated."""

    subject: ClassVar[str] = "cmd.registration.suspend.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class ReinstateRegistration(Command):
    """An officer reinstates a suspended registration, with the reason. Its year is not prolonged."""

    subject: ClassVar[str] = "cmd.registration.reinstate.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    about: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER})
    step_up: ClassVar[bool] = True
    exporter_id: UUID
    reason: Text


class GetRegistration(Question):
    """What is the status of this registration?"""

    subject: ClassVar[str] = "qry.registration.get.v1"
    answer: ClassVar[type[Answer]] = RegistrationState
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR})
    exporter_id: UUID


class RegistrationApproved(Event):
    """A company is registered from `valid_from` up to and including `valid_until`. Each renewal announces it again."""

    subject: ClassVar[str] = "evt.registration.approved.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates", "fees"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID
    name: str
    address: str
    valid_from: date
    valid_until: date


class RegistrationSuspended(Event):
    """A registration is suspended: the company may not submit certificates until it is reinstated."""

    subject: ClassVar[str] = "evt.registration.suspended.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID


class RegistrationReinstated(Event):
    """A suspended registration is reinstated: the company may submit certificates again, within its year."""

    subject: ClassVar[str] = "evt.registration.reinstated.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID


class RegistrationExpired(Event):
    """A registration has expired: the company may not submit certificates until it is registered for another year."""

    subject: ClassVar[str] = "evt.registration.expired.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID


class RegistrationStatusChanged(Event):
    """A registration or its renewal has another status, or its company has corrected it."""

    subject: ClassVar[str] = "evt.registration-status.changed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"portal"})
    about: ClassVar[str] = "exporter_id"
    exporter_id: UUID
    status: RegistrationStatus
