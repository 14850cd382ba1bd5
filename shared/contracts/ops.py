"""Operational questions: what the plumbing of every service answers to the operator, `ops.<service>.<verb>.v1`.

Only the operator's user on the bus may ask them, so they carry no actor token.
"""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.kinds import Answer, Command, Contract, Question, Slug

RowId = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Health(Answer):
    """Whether a service can do its work, and what stands in its way."""

    service: str
    ready: bool
    problems: tuple[str, ...] = ()
    started_at: datetime


class AskHealth(Question):
    """Is the service well?"""

    subject: ClassVar[str] = "ops.{service}.ask-health.v1"
    answer: ClassVar[type[Answer]] = Health
    anonymous: ClassVar[bool] = True


class Lag(Answer):
    """What waits in a service: counts, and the age in seconds of the oldest."""

    service: str
    events_waiting: int
    events_handed_over: int
    outbox_waiting: int
    outbox_oldest_seconds: float
    tasks_waiting: int
    tasks_oldest_seconds: float
    tasks_failing: int
    dead_letters: int


class AskLag(Question):
    """What waits in the service, and for how long?"""

    subject: ClassVar[str] = "ops.{service}.ask-lag.v1"
    answer: ClassVar[type[Answer]] = Lag
    anonymous: ClassVar[bool] = True


class DeadLetter(Contract):
    """An event or a task that the service could not take, and why."""

    id: int
    kind: str
    name: str
    key: str
    error: str
    died_at: datetime
    body: str | None = None
    traceparent: str | None = None


class DeadLetters(Answer):
    """One page of dead letters, oldest first."""

    letters: tuple[DeadLetter, ...]


class ListDeadLetters(Question):
    """Which messages and tasks were given up? Bodies are left out."""

    subject: ClassVar[str] = "ops.{service}.list-dead-letters.v1"
    answer: ClassVar[type[Answer]] = DeadLetters
    anonymous: ClassVar[bool] = True
    after: RowId = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ShowDeadLetter(Question):
    """One dead letter with its body."""

    subject: ClassVar[str] = "ops.{service}.show-dead-letter.v1"
    answer: ClassVar[type[Answer]] = DeadLetters
    anonymous: ClassVar[bool] = True
    id: RowId


class Retried(Answer):
    """How many dead letters were taken after all."""

    retried: int


class RetryDeadLetter(Command):
    """Takes a dead letter once more; it disappears if that succeeds and is refused with the error if not."""

    subject: ClassVar[str] = "ops.{service}.retry-dead-letter.v1"
    answer: ClassVar[type[Answer]] = Retried
    anonymous: ClassVar[bool] = True
    id: RowId


class Fact(Contract):
    """How many subjects a fact is true of, and a digest of their keys that does not depend on their order."""

    name: Slug
    count: int
    digest: str


class Digest(Answer):
    """Every fact the service vouches for."""

    service: str
    facts: tuple[Fact, ...]


class AskDigest(Question):
    """Which facts do you vouch for, and of how many?"""

    subject: ClassVar[str] = "ops.{service}.ask-digest.v1"
    answer: ClassVar[type[Answer]] = Digest
    anonymous: ClassVar[bool] = True


class Keys(Answer):
    """One page of the keys a fact is true of, in ascending order."""

    keys: tuple[str, ...]


class ListKeys(Question):
    """Of which keys is this fact true? `after`: the last key of the former page."""

    subject: ClassVar[str] = "ops.{service}.list-keys.v1"
    answer: ClassVar[type[Answer]] = Keys
    anonymous: ClassVar[bool] = True
    fact: Slug
    after: str = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


OPERATIONS = (AskHealth, AskLag, ListDeadLetters, ShowDeadLetter, RetryDeadLetter, AskDigest, ListKeys)
