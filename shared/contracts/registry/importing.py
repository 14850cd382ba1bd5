"""Import: what a former system knew of companies and people comes over, row by row, and coming twice is once.

A row is the documented form of one line of a file (`docs/import.md`): what a file holds is examined by these classes.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from shared.contracts.fields import Email, Line, Office, Text
from shared.contracts.messages import Answer, Command, Contract, Part, Question
from shared.contracts.registry.particulars import DistrictCode, Phone, TaxNumber
from shared.contracts.registry.users import Roles
from shared.contracts.roles import Role

MAX_ROWS = 100
"""Rows of one command: its transaction keeps others waiting for about a second, and fifty of them fit one confirmation."""
MAX_USERS = 20
"""People who come with their company."""

IMPORTING = frozenset({Role.ADMINISTRATOR})
"""Who moves the ministry from its former system."""


def _written_plainly(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip()):
        return value.strip()
    if isinstance(value, date):
        return value
    raise ValueError("must be a day such as 2026-12-31")


def _plain_roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    return tuple(sorted(set(roles)))


Day = Annotated[date, BeforeValidator(_written_plainly)]
FormerId = Annotated[Line, StringConstraints(max_length=80)]
PlainRoles = Annotated[Roles, AfterValidator(_plain_roles)]


class FormerStatus(StrEnum):
    """How a registration stood in the former system; what was not decided there is applied for anew."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class ImportedRepresentative(Part):
    """Who represents the company before the ministry."""

    name: Line
    name_km: Line | None = None
    position: Line
    born_on: Day | None = None


class ImportedPerson(Part):
    """Somebody of the company, who comes with it."""

    former_id: FormerId | None = None
    name: Line
    email: Email
    roles: PlainRoles


class ImportedRegistration(Part):
    """A company as the former system knew it. `former_id`, or else the tax number, says which: it comes over once.

    `valid_from` is the first day of unbroken validity, `valid_until` the last day; both are included. `reason`: why it is
    suspended. Papers do not come over: a renewal asks for them.
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
    """A person as the former system knew them: of an office, or of a company that is here already, by its tax number.

    `former_id`, or else the e-mail address, says who: they come over once.
    """

    former_id: FormerId | None = None
    name: Line
    email: Email
    roles: PlainRoles
    office: Office | None = None
    company_tax_number: TaxNumber | None = None


class RowOutcome(StrEnum):
    """What became of a row. `unchanged`: it came over before, and still says the same.

    `different`: it came over before, and one of the two has changed since; what is here is left alone.
    """

    IMPORTED = "imported"
    UNCHANGED = "unchanged"
    DIFFERENT = "different"
    REFUSED = "refused"


class RowReport(Contract):
    """What became of one row: where it was refused, why; where it is different, in which fields. People count from 1."""

    outcome: RowOutcome
    id: UUID | None = None
    code: str | None = None
    detail: str | None = None
    fields: tuple[str, ...] = ()


class Imported(Answer):
    """What became of every row, in their order."""

    rows: tuple[RowReport, ...]


Registrations = Annotated[tuple[ImportedRegistration, ...], Field(min_length=1, max_length=MAX_ROWS)]
People = Annotated[tuple[ImportedUser, ...], Field(min_length=1, max_length=MAX_ROWS)]


class ImportRegistrations(Command):
    """Companies come over with their people, each company whole or not at all; one that is refused holds no other up.

    `invite`: the people are sent a link to choose a password; without it they say that they have forgotten theirs.
    """

    subject: ClassVar[str] = "cmd.registrations.import.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORTING
    step_up: ClassVar[bool] = True
    registrations: Registrations
    invite: bool = False


class CheckRegistrationsImport(Question):
    """What would become of these companies?"""

    subject: ClassVar[str] = "qry.registrations-import.check.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORTING
    registrations: Registrations


class ImportUsers(Command):
    """People come over; those of one company all together or not at all. `invite`: as with registrations."""

    subject: ClassVar[str] = "cmd.users.import.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORTING
    step_up: ClassVar[bool] = True
    users: People
    invite: bool = False


class CheckUsersImport(Question):
    """What would become of these people?"""

    subject: ClassVar[str] = "qry.users-import.check.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORTING
    users: People
