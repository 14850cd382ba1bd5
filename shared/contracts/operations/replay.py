"""Replay: an operator makes a service publish events again."""

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.fields import Key
from shared.contracts.messages import Answer, OperatorCommand
from shared.contracts.operations.consistency import MAX_KEYS

Noun = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,40}$")]


class Republished(Answer):
    """The number of events that will be published again."""

    republished: int


class Republish(OperatorCommand):
    """Publishes these events of the service again, unchanged, because the stream has lost them."""

    subject: ClassVar[str] = "ops.{service}.republish.v1"
    answer: ClassVar[type[Answer]] = Republished
    event_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MAX_KEYS)]


class Reannounced(Answer):
    """The number of announced events. `go_on_after`: the last key, to continue after it; None after the last page."""

    announced: int
    go_on_after: str | None = None
    next: str | None = None


class Reannounce(OperatorCommand):
    """Announces the present state of one page of a noun, for listeners that have lost it."""

    subject: ClassVar[str] = "ops.{service}.reannounce.v1"
    answer: ClassVar[type[Answer]] = Reannounced
    noun: Noun
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 100
