"""Operational questions: what the plumbing of every service answers to the operator, `ops.<service>.<verb>.v1`.

Only the operator's user on the bus may ask them, so they carry no actor token.
"""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.acts import FindActs, ListActs, ListSeals
from shared.contracts.kinds import Answer, Command, Contract, Event, Instant, Key, Line, Question, RowId, Slug

Noun = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,40}$")]

MOST_KEYS = 5000
"""Keys that travel in one message."""


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


class Discarded(Answer):
    """The dead letter that is gone."""

    discarded: DeadLetter


class DiscardDeadLetter(Command):
    """Gives a dead letter up for good, for a reason that is logged: it can never be taken."""

    subject: ClassVar[str] = "ops.{service}.discard-dead-letter.v1"
    answer: ClassVar[type[Answer]] = Discarded
    anonymous: ClassVar[bool] = True
    id: RowId
    because: Line


class Fact(Contract):
    """Of how many keys a fact is true, and a digest of them that does not depend on their order.

    `repeated`: how many keys came more than once.
    """

    name: Slug
    count: int
    digest: str
    repeated: int = 0


class Digest(Answer):
    """The facts that the service vouches for. `heard_since`: when it took the first event that it remembers."""

    service: str
    heard_since: datetime | None = None
    facts: tuple[Fact, ...]


class AskDigest(Question):
    """Which facts do you vouch for, or these, and of how many keys? Events announced before `since` do not count."""

    subject: ClassVar[str] = "ops.{service}.ask-digest.v1"
    answer: ClassVar[type[Answer]] = Digest
    anonymous: ClassVar[bool] = True
    facts: Annotated[tuple[Slug, ...], Field(max_length=200)] = ()
    since: Instant | None = None


class Keys(Answer):
    """One page of the keys a fact is true of, in ascending order, each once."""

    keys: tuple[str, ...]


class ListKeys(Question):
    """Of which keys is this fact true? `after`: the last key of the former page; `repeated`: only what came twice."""

    subject: ClassVar[str] = "ops.{service}.list-keys.v1"
    answer: ClassVar[type[Answer]] = Keys
    anonymous: ClassVar[bool] = True
    fact: Slug
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=MOST_KEYS)] = MOST_KEYS
    since: Instant | None = None
    repeated: bool = False


class ListLostKeys(Question):
    """Of which keys did others know this fact when the service came back from an older copy, and it did not?"""

    subject: ClassVar[str] = "ops.{service}.list-lost-keys.v1"
    answer: ClassVar[type[Answer]] = Keys
    anonymous: ClassVar[bool] = True
    fact: Slug
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=MOST_KEYS)] = MOST_KEYS


class Republished(Answer):
    """How many events are being published once more."""

    republished: int


class Republish(Command):
    """Publishes these events of the service once more, as they were: the stream has lost them."""

    subject: ClassVar[str] = "ops.{service}.republish.v1"
    answer: ClassVar[type[Answer]] = Republished
    anonymous: ClassVar[bool] = True
    event_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MOST_KEYS)]


class Reannounced(Answer):
    """How many events were announced, and after which noun to go on; None when that was all."""

    announced: int
    go_on_after: str | None = None


class Reannounce(Command):
    """Announces the present state of one page of the service's nouns, for listeners that have lost it."""

    subject: ClassVar[str] = "ops.{service}.reannounce.v1"
    answer: ClassVar[type[Answer]] = Reannounced
    anonymous: ClassVar[bool] = True
    noun: Noun
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class Recovery(Answer):
    """Whether the service waits for its operators because its database is older than what it has announced.

    `read_back`: how many of its own events it has read back from the stream; None while it has not finished.
    """

    service: str
    recovering: bool
    because: str | None = None
    began_at: datetime | None = None
    copy_taken_at: datetime | None = None
    read_back: int | None = None
    compared_at: datetime | None = None


class AskRecovery(Question):
    """Do you wait for your operators, and for what?"""

    subject: ClassVar[str] = "ops.{service}.ask-recovery.v1"
    answer: ClassVar[type[Answer]] = Recovery
    anonymous: ClassVar[bool] = True


class Learned(Answer):
    """How many of the keys were new."""

    learned: int


class LearnLostKeys(Command):
    """Tells a service in recovery of which keys others know a fact, and it does not; none, where there are none."""

    subject: ClassVar[str] = "ops.{service}.learn-lost-keys.v1"
    answer: ClassVar[type[Answer]] = Learned
    anonymous: ClassVar[bool] = True
    while_recovering: ClassVar[bool] = True
    fact: Slug
    keys: Annotated[tuple[Key, ...], Field(max_length=MOST_KEYS)]


class ConfirmRecovery(Command):
    """An operator has seen what is lost: the service may work again."""

    subject: ClassVar[str] = "ops.{service}.confirm-recovery.v1"
    answer: ClassVar[type[Answer]] = Recovery
    anonymous: ClassVar[bool] = True
    while_recovering: ClassVar[bool] = True


OPERATIONS = (
    AskHealth,
    AskLag,
    ListDeadLetters,
    ShowDeadLetter,
    RetryDeadLetter,
    DiscardDeadLetter,
    AskDigest,
    ListKeys,
    ListLostKeys,
    Republish,
    Reannounce,
    AskRecovery,
    LearnLostKeys,
    ConfirmRecovery,
    ListActs,
    FindActs,
    ListSeals,
)


def announced(event: type[Event]) -> str:
    """The fact that an event was announced, of the ids of its owner's events."""
    return f"announced_{_words(event)}"


def heard(event: type[Event]) -> str:
    """The fact that an event was heard, of the ids that a listener has taken."""
    return f"heard_{_words(event)}"


def _words(event: type[Event]) -> str:
    return event.subject.removeprefix("evt.").replace(".", "_").replace("-", "_")
