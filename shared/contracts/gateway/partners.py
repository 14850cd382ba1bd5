"""The gateways of the other members."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from shared.contracts.fields import Country
from shared.contracts.messages import Answer, Contract, Event, Question
from shared.contracts.roles import Role


class PartnerState(StrEnum):
    """Whether the gateway of a partner accepts messages."""

    UP = "up"
    DOWN = "down"


class PartnerObserved(Event):
    """The gateway of a partner began to answer, or stopped answering, at `occurred_at`."""

    subject: ClassVar[str] = "evt.partner.observed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    country: Country
    state: PartnerState


class PartnerContact(Contract):
    """Who is called when a partner does not answer."""

    name: str
    email: str | None = None
    telephone: str | None = None


class ListedPartner(Contract):
    """A member, and the exchange with its gateway.

    `state`: None before the first message. `waiting`: our documents that customs there have not received yet; `more`: there are
    more than that. `oldest`: since when the oldest waits, and `waits_because`: why it is not sent. `opens_on`: the first day of
    the exchange. `version`: that of the messages today. `certificates_until`: when the first of its certificates expires.
    `problem`: why its row is not used; `configured`: whether it has a row. `out_since`: since when it is out; None if it is not
    out. `median_seconds`: the median time from AS1 to REC over the last 30 days, of `measured` documents, at most 500.
    `last_error`: why the last attempt failed, at `last_error_at`.
    """

    country: Country
    configured: bool
    state: PartnerState | None = None
    since: datetime | None = None
    waiting: int = 0
    more: bool = False
    oldest: datetime | None = None
    waits_because: str | None = None
    opens_on: date | None = None
    version: int | None = None
    certificates_until: date | None = None
    problem: str | None = None
    contact: PartnerContact | None = None
    out_since: datetime | None = None
    median_seconds: int | None = None
    measured: int = 0
    last_error: str | None = None
    last_error_at: datetime | None = None


class Partners(Answer):
    """All other members."""

    partners: tuple[ListedPartner, ...]


class ListPartners(Question):
    """How does the exchange with each other member go?"""

    subject: ClassVar[str] = "qry.partners.list.v1"
    answer: ClassVar[type[Answer]] = Partners
    asked_by: ClassVar[frozenset[Role]] = frozenset(
        {
            Role.REVIEWER,
            Role.APPROVER,
            Role.ADMINISTRATOR,
            Role.AUDITOR,
            Role.CUSTOMS_VIEWER,
            Role.CUSTOMS_OFFICER,
        }
    )
