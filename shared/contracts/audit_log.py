"""Questions of an operator about the audit log and its seals."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import AnyNumber, Instant, Key, RowId
from shared.contracts.messages import Answer, Contract, OperatorQuestion

MAX_ACTS = 500
"""Maximum entries in one message."""


class Act(Contract):
    """One entry of the audit log: a command and its outcome.

    `act`: the class of the command. `on_noun`, `on_id`: its subject. `from_where`: the IP address of the person. `outcome`:
    `done` or the code of the refusal. `seal`: the number of the seal that covers the entry.
    """

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
    """One page of entries."""

    acts: tuple[Act, ...]
    next: int | None = None


class ListActs(OperatorQuestion):
    """The entries that the seals from `first_seal` to `last_seal` cover, by id."""

    subject: ClassVar[str] = "ops.{service}.list-acts.v1"
    answer: ClassVar[type[Answer]] = Acts
    first_seal: AnyNumber
    last_seal: AnyNumber
    after: AnyNumber | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ACTS)] = MAX_ACTS


class FindActs(OperatorQuestion):
    """Entries, newest first. `on`: the id of a subject. `before`: the last id of the previous page."""

    subject: ClassVar[str] = "ops.{service}.find-acts.v1"
    answer: ClassVar[type[Answer]] = Acts
    actor: Key | None = None
    on: Key | None = None
    since: Instant | None = None
    until: Instant | None = None
    before: AnyNumber | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ACTS)] = 100


class Seal(Contract):
    """A signed statement about a batch of entries. It shows any later change of them, and of the previous seals.

    `sealed`: for each entry a line with its id and the SHA-256 of its form. `batch`: the SHA-256 of these lines. `former`: the
    SHA-256 of the previous statement. `key`: the public nkey that signed. `signature`: of the statement, hexadecimal.
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
    """One page of seals, and the number of unsealed entries."""

    service: str
    country: str
    seals: tuple[Seal, ...]
    unsealed: int
    next: int | None = None


class ListSeals(OperatorQuestion):
    """The seals after the number `after`, as many as fit into one message."""

    subject: ClassVar[str] = "ops.{service}.list-seals.v1"
    answer: ClassVar[type[Answer]] = Seals
    after: RowId = 0
