"""Facts that services report, so that `co audit` can compare them."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.fields import Instant, Key, Slug
from shared.contracts.messages import Answer, Contract, Event, OperatorQuestion

MAX_KEYS = 5000
"""Keys in one message."""


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


class AskDigest(OperatorQuestion):
    """Which facts do you vouch for, or these, and of how many keys? Events announced before `since` do not count."""

    subject: ClassVar[str] = "ops.{service}.ask-digest.v1"
    answer: ClassVar[type[Answer]] = Digest
    facts: Annotated[tuple[Slug, ...], Field(max_length=200)] = ()
    since: Instant | None = None


class Keys(Answer):
    """One page of the keys a fact is true of, in ascending order, each once."""

    keys: tuple[str, ...]


class ListKeys(OperatorQuestion):
    """Of which keys is this fact true? `after`: the last key of the former page; `repeated`: only what came twice."""

    subject: ClassVar[str] = "ops.{service}.list-keys.v1"
    answer: ClassVar[type[Answer]] = Keys
    fact: Slug
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=MAX_KEYS)] = MAX_KEYS
    since: Instant | None = None
    repeated: bool = False


class ListLostKeys(OperatorQuestion):
    """Of which keys did others know this fact when the service came back from an older copy, and it did not?"""

    subject: ClassVar[str] = "ops.{service}.list-lost-keys.v1"
    answer: ClassVar[type[Answer]] = Keys
    fact: Slug
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=MAX_KEYS)] = MAX_KEYS


def announced(event: type[Event]) -> str:
    """The fact that an event was announced, of the ids of its owner's events."""
    return f"announced_{_words(event)}"


def heard(event: type[Event]) -> str:
    """The fact that an event was heard, of the ids that a listener has taken."""
    return f"heard_{_words(event)}"


def _words(event: type[Event]) -> str:
    return event.subject.removeprefix("evt.").replace(".", "_").replace("-", "_")
