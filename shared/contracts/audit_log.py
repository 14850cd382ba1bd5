"""Operational questions about the trail: who did what, and the seals that keep it unchanged."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.messages import Answer, Contract, OperatorQuestion
from shared.contracts.fields import AnyNumber, Instant, Key, RowId

MAX_ACTS = 500
"""Acts that travel in one message."""


class Act(Contract):
    """What somebody did, or tried to: one row of the trail. `seal`: the number of the seal that it stands under."""

    id: int
    at: Instant
    actor: str
    session: UUID | None = None
    organisation: str | None = None
    roles: str | None = None
    act: str
    on_noun: str | None = None
    on_id: str | None = None
    command_id: UUID
    from_where: str | None = None
    outcome: str
    seal: int | None = None


class Acts(Answer):
    """One page of acts."""

    acts: tuple[Act, ...]


class ListActs(OperatorQuestion):
    """Which acts stand under the seals from `first_seal` to `last_seal`? In order of their ids."""

    subject: ClassVar[str] = "ops.{service}.list-acts.v1"
    answer: ClassVar[type[Answer]] = Acts
    first_seal: AnyNumber
    last_seal: AnyNumber
    after: AnyNumber | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ACTS)] = MAX_ACTS


class FindActs(OperatorQuestion):
    """Who did what, newest first? `on`: an id; `since`, `until`: instants; `before`: the last id of the former page."""

    subject: ClassVar[str] = "ops.{service}.find-acts.v1"
    answer: ClassVar[type[Answer]] = Acts
    actor: Key | None = None
    on: Key | None = None
    since: Instant | None = None
    until: Instant | None = None
    before: AnyNumber | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ACTS)] = 100


class Seal(Contract):
    """What makes a batch of acts unchangeable: a signed statement that names the former one.

    `sealed`: a line for each act, its id and the SHA-256 of its form; `batch`: the SHA-256 of these lines; `former`: that of
    the former statement; `key`: the public nkey, whose `signature` of the statement is hexadecimal.
    """

    number: int
    at: Instant
    former: str
    acts: int
    batch: str
    sealed: str
    key: str
    signature: str


class Seals(Answer):
    """One page of seals, and how many acts are not sealed yet."""

    service: str
    country: str
    seals: tuple[Seal, ...]
    unsealed: int


class ListSeals(OperatorQuestion):
    """Which seals follow this one? As many as travel in one message; none where it is the last."""

    subject: ClassVar[str] = "ops.{service}.list-seals.v1"
    answer: ClassVar[type[Answer]] = Seals
    after: RowId = 0
