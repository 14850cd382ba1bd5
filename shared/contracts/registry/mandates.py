"""Mandates: an agent, such as a freight forwarder, acts for an exporter after both have accepted. API keys for its systems."""

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

GRANTING_ROLES = frozenset({Role.COMPANY_ADMINISTRATOR})
"""The roles that may grant and revoke rights for a company."""
AGENT_ROLES = frozenset({Role.PREPARER, Role.SIGNATORY})
"""The roles that a mandate can give an agent: to prepare certificates, and to submit them."""

Scope = Annotated[tuple[Literal[Role.PREPARER, Role.SIGNATORY], ...], Field(min_length=1, max_length=2)]
Key = Annotated[str, StringConstraints(pattern=r"^cok_[A-Za-z0-9_-]{43}$")]
"""An API key: a prefix, which secret scanners recognise, and 256 random bits."""


class MandateStatus(StrEnum):
    """The status of a mandate."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    REVOKED = "revoked"
    ENDED = "ended"


class Side(StrEnum):
    """One of the two companies of a mandate."""

    EXPORTER = "exporter"
    AGENT = "agent"


class MandateState(Answer):
    """A mandate as its two companies see it. `waits_for`: the company that must accept. `valid_until`: its last day.

    `scope`: the roles for the exporter. A person of the agent has those of them that they have at the agent.
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
    """One of two companies proposes a mandate. The tax numbers identify both companies."""

    subject: ClassVar[str] = "cmd.mandate.propose.v1"
    answer: ClassVar[type[Answer]] = MandateState
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = GRANTING_ROLES
    mandate_id: UUID
    exporter_tax_number: TaxNumber
    agent_tax_number: TaxNumber
    scope: Scope
    valid_until: date


class AcceptMandate(Command):
    """The other company accepts. From now on the agent may act for the exporter."""

    subject: ClassVar[str] = "cmd.mandate.accept.v1"
    answer: ClassVar[type[Answer]] = MandateState
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = GRANTING_ROLES
    mandate_id: UUID


class RevokeMandate(Command):
    """Either company revokes a mandate, or withdraws or declines a proposal. It cannot be undone."""

    subject: ClassVar[str] = "cmd.mandate.revoke.v1"
    answer: ClassVar[type[Answer]] = MandateState
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = GRANTING_ROLES
    mandate_id: UUID
    reason: Text | None = None


class Mandates(Answer):
    """One page of mandates, by id."""

    mandates: tuple[MandateState, ...]
    next: UUID | None = None


class ListMandates(Question):
    """Which mandates does this company have, as exporter or agent?"""

    subject: ClassVar[str] = "qry.mandates.list.v1"
    answer: ClassVar[type[Answer]] = Mandates
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REGISTRATION_OFFICER, Role.ADMINISTRATOR, Role.AUDITOR})
    company_id: UUID
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ActingToken(Answer):
    """The token with which an agent acts for an exporter until it expires. The agent then requests another."""

    about: ClassVar[str] = "api_key_id"
    api_key_id: UUID | None = None
    mandate_id: UUID
    exporter_id: UUID
    roles: tuple[Role, ...]
    token: str
    expires_at: datetime


class ActUnderMandate(Command):
    """A person of the agent requests the token to act for the exporter, in their present session."""

    subject: ClassVar[str] = "cmd.mandate.act-under.v1"
    answer: ClassVar[type[Answer]] = ActingToken
    about: ClassVar[str] = "mandate_id"
    asked_by: ClassVar[frozenset[Role]] = AGENT_ROLES
    secret: ClassVar[bool] = True
    mandate_id: UUID


class MadeApiKey(Answer):
    """A new API key. No other answer contains it."""

    api_key_id: UUID
    mandate_id: UUID
    key: str


class MakeApiKey(Command):
    """The agent's administrator makes an API key, with which a system of the agent acts under a mandate."""

    subject: ClassVar[str] = "cmd.api-key.make.v1"
    answer: ClassVar[type[Answer]] = MadeApiKey
    about: ClassVar[str] = "api_key_id"
    asked_by: ClassVar[frozenset[Role]] = GRANTING_ROLES
    secret: ClassVar[bool] = True
    api_key_id: UUID
    mandate_id: UUID
    name: Line


class ApiKeyState(Answer):
    """An API key as both companies see it. `end`: its last characters. `made_by`: the id of the person."""

    api_key_id: UUID
    mandate_id: UUID
    name: str
    end: str
    made_at: datetime
    made_by: UUID
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class RevokeApiKey(Command):
    """Either company revokes an API key. From then on every service refuses its tokens."""

    subject: ClassVar[str] = "cmd.api-key.revoke.v1"
    answer: ClassVar[type[Answer]] = ApiKeyState
    about: ClassVar[str] = "api_key_id"
    asked_by: ClassVar[frozenset[Role]] = GRANTING_ROLES
    api_key_id: UUID


class ApiKeys(Answer):
    """The API keys of a mandate: first the valid ones, then the latest revoked ones, both newest first."""

    api_keys: tuple[ApiKeyState, ...]


class ListApiKeys(Question):
    """Which API keys does this mandate have?"""

    subject: ClassVar[str] = "qry.api-keys.list.v1"
    answer: ClassVar[type[Answer]] = ApiKeys
    asked_by: ClassVar[frozenset[Role]] = GRANTING_ROLES
    mandate_id: UUID


class ExchangeApiKey(Command):
    """A system of the agent exchanges its API key for the token to act for the exporter."""

    subject: ClassVar[str] = "cmd.api-key.exchange.v1"
    answer: ClassVar[type[Answer]] = ActingToken
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    key: Key


class MandateGranted(Event):
    """Both companies have accepted a mandate. The agent may act for the exporter up to and including `valid_until`."""

    subject: ClassVar[str] = "evt.mandate.granted.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "exporter_id"
    mandate_id: UUID
    exporter_id: UUID
    agent_id: UUID
    scope: tuple[Role, ...]
    valid_until: date


class MandateRevoked(Event):
    """A mandate was revoked. `until`: the instant after which it would have ended anyway."""

    subject: ClassVar[str] = "evt.mandate.revoked.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    mandate_id: UUID
    until: Instant
