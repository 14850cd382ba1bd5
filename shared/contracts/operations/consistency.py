"""Facts that services report, so that `co audit` can compare them."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.contracts.fields import Instant, Key, Slug
from shared.contracts.messages import Answer, Contract, Event, OperatorQuestion

MAX_KEYS = 5000
"""Maximum keys in one message."""


class Fact(Contract):
    """The number of keys for which a fact is true, and a digest of the keys that does not depend on their order.

    `repeated`: how many keys occur more than once.
    """

    name: Slug
    count: int
    digest: str
    repeated: int = 0


class Digest(Answer):
    """The facts that the service reports. `heard_since`: when it received the first event in its inbox."""

    service: str
    heard_since: datetime | None = None
    facts: tuple[Fact, ...]


READS_EVERYTHING = 300.0
"""Seconds that an answer about all keys of a fact may take. A service reads some 200,000 keys a second."""


class AskDigest(OperatorQuestion):
    """What are the digests of these facts, or of all? Events announced before `since` do not count."""

    subject: ClassVar[str] = "ops.{service}.ask-digest.v1"
    answer: ClassVar[type[Answer]] = Digest
    answered_within: ClassVar[float | None] = READS_EVERYTHING
    facts: Annotated[tuple[Slug, ...], Field(max_length=200)] = ()
    since: Instant | None = None


class Keys(Answer):
    """One page of the keys for which a fact is true, in ascending order, without duplicates."""

    keys: tuple[str, ...]
    next: str | None = None


class ListKeys(OperatorQuestion):
    """For which keys is this fact true? `after`: the last key of the previous page. `repeated`: only duplicate keys."""

    subject: ClassVar[str] = "ops.{service}.list-keys.v1"
    answer: ClassVar[type[Answer]] = Keys
    answered_within: ClassVar[float | None] = READS_EVERYTHING
    fact: Slug
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=MAX_KEYS)] = MAX_KEYS
    since: Instant | None = None
    repeated: bool = False


class ListLostKeys(OperatorQuestion):
    """Which keys of this fact did the service lose when it was restored from an older backup?"""

    subject: ClassVar[str] = "ops.{service}.list-lost-keys.v1"
    answer: ClassVar[type[Answer]] = Keys
    fact: Slug
    after: Key = ""
    limit: Annotated[int, Field(ge=1, le=MAX_KEYS)] = MAX_KEYS


def announced(event: type[Event]) -> str:
    """The name of the fact that its owner has announced an event; the keys are event ids."""
    return f"announced_{_slug(event)}"


def heard(event: type[Event]) -> str:
    """The name of the fact that a listener has received an event; the keys are event ids."""
    return f"heard_{_slug(event)}"


def _slug(event: type[Event]) -> str:
    return event.subject.removeprefix("evt.").replace(".", "_").replace("-", "_")
