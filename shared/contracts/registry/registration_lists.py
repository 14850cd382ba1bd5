"""Lists and counts of registrations, for the ministry."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Cursor, Instant, Line
from shared.contracts.messages import Answer, Contract, Question
from shared.contracts.registry.registrations import RegistrationStatus, RenewalStatus
from shared.contracts.roles import Role


class ListedRegistration(Contract):
    """A registration in a list. `waiting_since`: the instant of the application or renewal that waits for an officer."""

    exporter_id: UUID
    company_name: str
    company_name_km: str | None = None
    tax_number: str
    status: RegistrationStatus
    renewal: RenewalStatus | None = None
    valid_until: date | None = None
    waiting_since: Instant | None = None
    version: int


class RegistrationsPage(Answer):
    """One page of registrations."""

    registrations: tuple[ListedRegistration, ...]
    next: str | None = None


class ListRegistrations(Question):
    """Which registrations are there? `waiting`: only those that wait for an officer, the longest waiting first.

    `search`: a part of the company's name, or the beginning of its tax number. Otherwise the order is by name.
    """

    subject: ClassVar[str] = "qry.registrations.list.v1"
    answer: ClassVar[type[Answer]] = RegistrationsPage
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR, Role.CASHIER})
    status: RegistrationStatus | None = None
    waiting: bool = False
    search: Line | None = None
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class RegistrationCounts(Answer):
    """The number of registrations by status. `waiting`: applications and renewals that wait for an officer."""

    by_status: dict[RegistrationStatus, int]
    waiting: int
    oldest_waiting_since: Instant | None = None


class CountRegistrations(Question):
    """How many registrations are there of each status?"""

    subject: ClassVar[str] = "qry.registrations.count.v1"
    answer: ClassVar[type[Answer]] = RegistrationCounts
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR})
