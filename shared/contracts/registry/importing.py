"""Import of companies and people from a former system, row by row. A row that is imported twice changes nothing.

A row is one line of a file in the form of `docs/import.md`. These classes validate it.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from shared.contracts.fields import Email, Line, Office, Text
from shared.contracts.messages import Answer, Command, Contract, Part, Question
from shared.contracts.registry.particulars import DistrictCode, Phone, TaxNumber
from shared.contracts.registry.users import Roles
from shared.contracts.roles import Role

MAX_ROWS = 100
"""Maximum rows of one command. Its transaction takes about a second, and one step-up token permits fifty commands."""
MAX_USERS = 20
"""Maximum people that are imported with their company."""

FORMER_SYSTEM = UUID("b3f1c4de-6a52-5c0e-9a0b-5d1f7c2e8a44")
"""The namespace of imported ids. It never changes, so that the same row always gives the same id."""

IMPORT_ROLES = frozenset({Role.ADMINISTRATOR})
"""The roles that may import."""


def imported_id(kind: str, country: str, former: str) -> UUID:
    """The id of an imported row, from its key in the former system. `kind`: such as `exporter`, `user`, `product`."""
    return uuid5(FORMER_SYSTEM, f"{country}/{kind}/{former}")


def _iso_date(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        return value.strip()
    if isinstance(value, date):
        return value
    raise ValueError("must be a day such as 2026-12-31")


def _sorted_roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    return tuple(sorted(set(roles)))


Day = Annotated[date, BeforeValidator(_iso_date)]
FormerId = Annotated[Line, StringConstraints(max_length=80)]
SortedRoles = Annotated[Roles, AfterValidator(_sorted_roles)]


class FormerStatus(StrEnum):
    """The status of a registration in the former system. An undecided application is not imported."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class ImportedRepresentative(Part):
    """The person who represents the company before the ministry."""

    name: Line
    name_km: Line | None = None
    position: Line
    born_on: Day | None = None


class ImportedPerson(Part):
    """A person of the company, imported with it."""

    former_id: FormerId | None = None
    name: Line
    email: Email
    roles: SortedRoles


class ImportedRegistration(Part):
    """A company of the former system. `former_id`, or else the tax number, identifies it: it is imported once.

    `valid_from`: the first day of unbroken validity. `valid_until`: the last day of validity. `reason`: why it is suspended.
    Documents are not imported: the company sends them with its renewal.
    """

    former_id: FormerId | None = None
    tax_number: TaxNumber
    status: FormerStatus
    valid_from: Day
    valid_until: Day
    reason: Text | None = None
    company_name: Line
    company_name_km: Line | None = None
    address: Text
    address_km: Text | None = None
    district: DistrictCode | None = None
    phone: Phone | None = None
    contact_email: Email | None = None
    representative: ImportedRepresentative | None = None
    users: Annotated[tuple[ImportedPerson, ...], Field(max_length=MAX_USERS)] = ()


class ImportedUser(Part):
    """A person of the former system: an officer, or a person of a company that is registered here, by its tax number.

    `former_id`, or else the e-mail address, identifies the person, who is imported once.
    """

    former_id: FormerId | None = None
    name: Line
    email: Email
    roles: SortedRoles
    office: Office | None = None
    company_tax_number: TaxNumber | None = None


class RowOutcome(StrEnum):
    """The outcome of a row. `unchanged`: it was imported before with the same values.

    `different`: it was imported before, and now its values differ from those stored here. Nothing is changed.
    """

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    DIFFERENT = "different"
    REFUSED = "refused"


class RowReport(Contract):
    """The outcome of one row. `code`, `detail`: the refusal. `fields`: the refused or different fields, people from 1."""

    outcome: RowOutcome
    id: UUID | None = None
    code: str | None = None
    detail: str | None = None
    fields: tuple[str, ...] = ()


def compared(differs: list[str], row_id: UUID) -> RowReport:
    """The report on a row that was imported before. `differs`: the fields whose stored values differ."""
    outcome = RowOutcome.DIFFERENT if differs else RowOutcome.UNCHANGED
    return RowReport(outcome=outcome, id=row_id, fields=differs)


class Imported(Answer):
    """The outcome of each row, in the order of the rows."""

    rows: tuple[RowReport, ...]


Registrations = Annotated[tuple[ImportedRegistration, ...], Field(min_length=1, max_length=MAX_ROWS)]
People = Annotated[tuple[ImportedUser, ...], Field(min_length=1, max_length=MAX_ROWS)]


class ImportRegistrations(Command):
    """Imports companies with their people. A company is imported completely or not at all; the others are imported anyway.

    `invite`: each person gets an e-mail with a link to choose a password. Without it they request a password reset.
    """

    subject: ClassVar[str] = "cmd.registrations.import.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    step_up: ClassVar[bool] = True
    registrations: Registrations
    invite: bool = False


class CheckRegistrationsImport(Question):
    """What would be the outcome of importing these companies?"""

    subject: ClassVar[str] = "qry.registrations-import.check.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    registrations: Registrations


class ImportUsers(Command):
    """Imports people. Those of one company are imported together or not at all. `invite`: as in `ImportRegistrations`."""

    subject: ClassVar[str] = "cmd.users.import.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    step_up: ClassVar[bool] = True
    users: People
    invite: bool = False


class CheckUsersImport(Question):
    """What would be the outcome of importing these people?"""

    subject: ClassVar[str] = "qry.users-import.check.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    users: People
