"""Mandates: an agent, such as a freight forwarder, acts for an exporter once both have accepted; its systems with API keys."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.fields import Instant, Line, Text
from shared.contracts.index import SERVICES
from shared.contracts.messages import Answer, Command, Event, Question
from shared.contracts.registry.particulars import TaxNumber
from shared.contracts.roles import Role

GIVING = frozenset({Role.COMPANY_ADMINISTRATOR})
"""Who gives and takes rights in the name of a company."""
ACTING = frozenset({Role.PREPARER, Role.SIGNATORY})
"""What an agent can be allowed: to prepare certificates, and to hand them in."""

Scope = Annotated[tuple[Literal[Role.PREPARER, Role.SIGNATORY], ...], Field(min_length=1, max_length=2)]
Key = Annotated[str, StringConstraints(pattern=r"^cok_[A-Za-z0-9_-]{43}$")]
"""An API key: 256 random bits after a prefix by which scanners for leaked secrets know it."""


class MandateStatus(StrEnum):
    """Where a mandate stands."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    REVOKED = "revoked"
    ENDED = "ended"


class Side(StrEnum):
    """One of the two companies of a mandate."""

    EXPORTER = "exporter"
    AGENT = "agent"


class MandateState(Answer):
    """A mandate as its two companies see it. `waits_for`: who must still accept. `valid_until`: its last day.

    `scope`: what the agent's people may be for the exporter, each within what they are at the agent.
    """

    mandate_id: UUID
    exporter_id: UUID
    exporter_name: str
    agent_id: UUID
    agent_name: str
    scope: tuple[Role, ...]
    valid_until: date
    status: MandateStatus
    waits_for: Side | None = None
    granted_at: datetime | None = None
    revoked_at: datetime | None = None
    reason: str | None = None
    version: int


class ProposeMandate(Command):
    """One of two companies proposes that the one acts for the other. It knows both by their tax numbers."""

    subject: ClassVar[str] = "cmd.mandate.propose.v1"
    answer: ClassVar[type[Answer]] = MandateState
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = GIVING
    mandate_id: UUID
    exporter_tax_number: TaxNumber
    agent_tax_number: TaxNumber
    scope: Scope
    valid_until: date


class AcceptMandate(Command):
    """The other company accepts; from now on the agent may act."""

    subject: ClassVar[str] = "cmd.mandate.accept.v1"
    answer: ClassVar[type[Answer]] = MandateState
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = GIVING
    mandate_id: UUID


class RevokeMandate(Command):
    """Either company ends a mandate, or withdraws or declines what was only proposed, at any time and for good."""

    subject: ClassVar[str] = "cmd.mandate.revoke.v1"
    answer: ClassVar[type[Answer]] = MandateState
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = GIVING
    mandate_id: UUID
    reason: Text | None = None


class Mandates(Answer):
    """One page of mandates, by id."""

    mandates: tuple[MandateState, ...]


class ListMandates(Question):
    """Who may act for this company, and for whom may it act?"""

    subject: ClassVar[str] = "qry.mandates.list.v1"
    answer: ClassVar[type[Answer]] = Mandates
    company_id: UUID
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ActingToken(Answer):
    """The token with which an agent acts for an exporter until it expires; then another is asked for, in the same way."""

    about: ClassVar[str] = "api_key_id"
    api_key_id: UUID | None = None
    mandate_id: UUID
    exporter_id: UUID
    roles: tuple[Role, ...]
    token: str
    expires_at: datetime


class ActUnderMandate(Command):
    """Somebody of the agent's asks for the token with which they act for the exporter, in the session they are in."""

    subject: ClassVar[str] = "cmd.mandate.act-under.v1"
    answer: ClassVar[type[Answer]] = ActingToken
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = ACTING
    secret: ClassVar[bool] = True
    mandate_id: UUID


class MadeApiKey(Answer):
    """A new API key. This is the only time it is shown."""

    api_key_id: UUID
    mandate_id: UUID
    key: str


class MakeApiKey(Command):
    """The agent's administrator makes a key with which a system of the agent's acts under a mandate."""

    subject: ClassVar[str] = "cmd.api-key.make.v1"
    answer: ClassVar[type[Answer]] = MadeApiKey
    about: ClassVar[str] = "api_key_id"
    asked_by: ClassVar[frozenset[Role]] = GIVING
    secret: ClassVar[bool] = True
    api_key_id: UUID
    mandate_id: UUID
    name: Line


class ApiKeyState(Answer):
    """An API key as both companies see it: what it is for, who made it, when it was last used. `end`: its last letters."""

    api_key_id: UUID
    mandate_id: UUID
    name: str
    end: str
    made_at: datetime
    made_by: UUID
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class RevokeApiKey(Command):
    """Either company ends a key; tokens that were given for it are refused everywhere from then on."""

    subject: ClassVar[str] = "cmd.api-key.revoke.v1"
    answer: ClassVar[type[Answer]] = ApiKeyState
    about: ClassVar[str] = "api_key_id"
    asked_by: ClassVar[frozenset[Role]] = GIVING
    api_key_id: UUID


class ApiKeys(Answer):
    """The API keys of a mandate: those in force, and then the latest that were revoked, each the newest first."""

    api_keys: tuple[ApiKeyState, ...]


class ListApiKeys(Question):
    """With which keys do the agent's systems act under this mandate?"""

    subject: ClassVar[str] = "qry.api-keys.list.v1"
    answer: ClassVar[type[Answer]] = ApiKeys
    asked_by: ClassVar[frozenset[Role]] = GIVING
    mandate_id: UUID


class ExchangeApiKey(Command):
    """A system of the agent's asks for the token with which it acts for the exporter."""

    subject: ClassVar[str] = "cmd.api-key.exchange.v1"
    answer: ClassVar[type[Answer]] = ActingToken
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    key: Key


class MandateGranted(Event):
    """Both companies have accepted: the agent may act for the exporter until `valid_until`, that day included."""

    subject: ClassVar[str] = "evt.mandate.granted.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    mandate_id: UUID
    exporter_id: UUID
    agent_id: UUID
    scope: tuple[Role, ...]
    valid_until: date


class MandateRevoked(Event):
    """A mandate is over before its time; `until` is when it would have ended anyway, at the latest."""

    subject: ClassVar[str] = "evt.mandate.revoked.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    mandate_id: UUID
    until: Instant
