"""Dead letters: events and tasks that failed permanently in a service."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.fields import Line, RowId
from shared.contracts.messages import Answer, Contract, OperatorCommand, OperatorQuestion


class DeadLetter(Contract):
    """An event or a task that failed permanently, and the error.

    `kind`: `event` or `task`. `name`: its subject or task kind. `key`: its event id or key.
    """

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
    next: int | None = None


class ListDeadLetters(OperatorQuestion):
    """Which events and tasks failed permanently? The answer has no bodies."""

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
    """The number of dead letters that were retried successfully."""

    retried: int


class RetryDeadLetter(OperatorCommand):
    """Retries a dead letter. It is deleted if that succeeds, and refused with the error if not."""

    subject: ClassVar[str] = "ops.{service}.retry-dead-letter.v1"
    answer: ClassVar[type[Answer]] = Retried
    about: ClassVar[str] = "id"
    about_noun: ClassVar[str] = "dead_letter"
    id: RowId


class Discarded(Answer):
    """The deleted dead letter."""

    discarded: DeadLetter


class DiscardDeadLetter(OperatorCommand):
    """Deletes a dead letter without a retry. The reason `because` is logged."""

    subject: ClassVar[str] = "ops.{service}.discard-dead-letter.v1"
    answer: ClassVar[type[Answer]] = Discarded
    about: ClassVar[str] = "id"
    about_noun: ClassVar[str] = "dead_letter"
    id: RowId
    because: Line
