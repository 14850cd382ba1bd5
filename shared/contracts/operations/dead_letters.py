"""Dead letters: events and tasks that a service gave up."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.fields import Line, RowId
from shared.contracts.messages import Answer, Contract, OperatorCommand, OperatorQuestion


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


class ListDeadLetters(OperatorQuestion):
    """Which messages and tasks were given up? Bodies are left out."""

    subject: ClassVar[str] = "ops.{service}.list-dead-letters.v1"
    answer: ClassVar[type[Answer]] = DeadLetters
    after: RowId = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ShowDeadLetter(OperatorQuestion):
    """One dead letter with its body."""

    subject: ClassVar[str] = "ops.{service}.show-dead-letter.v1"
    answer: ClassVar[type[Answer]] = DeadLetters
    id: RowId


class Retried(Answer):
    """How many dead letters were taken after all."""

    retried: int


class RetryDeadLetter(OperatorCommand):
    """Takes a dead letter once more; it disappears if that succeeds and is refused with the error if not."""

    subject: ClassVar[str] = "ops.{service}.retry-dead-letter.v1"
    answer: ClassVar[type[Answer]] = Retried
    about: ClassVar[str] = "id"
    about_noun: ClassVar[str] = "dead_letter"
    id: RowId


class Discarded(Answer):
    """The dead letter that is gone."""

    discarded: DeadLetter


class DiscardDeadLetter(OperatorCommand):
    """Gives a dead letter up for good, for a reason that is logged: it can never be taken."""

    subject: ClassVar[str] = "ops.{service}.discard-dead-letter.v1"
    answer: ClassVar[type[Answer]] = Discarded
    about: ClassVar[str] = "id"
    about_noun: ClassVar[str] = "dead_letter"
    id: RowId
    because: Line
