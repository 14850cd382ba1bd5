"""The kinds of contract that cross the bus, and the bounded types their fields are made of.

A command is imperative and changes something; a question changes nothing; an event says what has happened.
The subject is a literal on the class: `<kind>.<noun>.<verb>.v<n>`. Within v1 only optional fields are added.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, ClassVar
from uuid import UUID, uuid4

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.roles import Role

MAX_CHUNK = 512 * 1024
"""Bytes of a file that travel in one message; NATS carries 1 MiB and base64 adds a third."""

MAX_FILE = 2**31 - 1
"""Bytes that any file may have; each kind has a lower limit of its own."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

TRY_AGAIN = "temporarily_unavailable"
"""The code of a refusal that is nobody's fault: the same request may succeed later."""


def _printable(text: str) -> str:
    if any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text):
        raise ValueError("must not contain control characters")
    return text


def _instant(value: datetime) -> datetime:
    if not EARLIEST <= value < LATEST:
        raise ValueError(f"must lie between the years {EARLIEST.year} and {LATEST.year - 1}")
    return value.astimezone(UTC)


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_printable)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), AfterValidator(_printable)]
Secret = Annotated[str, StringConstraints(min_length=12, max_length=200)]
Email = Annotated[
    str,
    StringConstraints(pattern=r"^[^@\s<>(),;:\"\[\]\\]{1,64}@[^@\s<>(),;:\"\[\]\\]{1,190}$", to_lower=True, max_length=254),
]
"""One address and nothing that a letter's head could take for more (RFC 5322, 3.2.3); quoted names are not served."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Office = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
HsCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,11}$")]
Unit = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,3}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,8}-[A-Z]{2,5}-[0-9]{6,9}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Riel = Annotated[int, Field(ge=0, le=10**12)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=6)]
Quantity = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
Instant = Annotated[AwareDatetime, AfterValidator(_instant)]
"""An instant in UTC. What lies outside these years is no date of ours, and some zones cannot express it."""
RowId = Annotated[int, Field(ge=0, le=2**63 - 1)]
AnyNumber = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""Of a row that may have been put there by anybody."""
Key = Annotated[str, StringConstraints(max_length=120)]

Chunk = Annotated[bytes, Field(max_length=MAX_CHUNK)]


class Contract(BaseModel):
    """Anything that crosses the bus: immutable, and tolerant of fields that a later release adds."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True
    )


class Part(Contract):
    """A part of a command or question: unknown fields are refused, as in the whole."""

    model_config = ConfigDict(extra="forbid")


class Answer(Contract):
    """What a command or question is answered with."""


class Refusal(Answer):
    """The answer of a rule that said no. Nothing was changed."""

    code: Slug
    detail: str
    fields: tuple[str, ...] = ()


class Request(Contract):
    """A command or a question. `anonymous`: may be asked without an actor token.

    `asked_by`: who may ask at all, by any one of these; empty where it is enough to be signed in. Whose things they may
    touch is for the handler to say. `while_enrolling`: may be asked also by an officer who has no second factor yet.
    `under_mandate`: may be asked also by an agent for the exporter whose mandate it has.
    """

    model_config = ConfigDict(extra="forbid")
    subject: ClassVar[str]
    answer: ClassVar[type[Answer]]
    anonymous: ClassVar[bool] = False
    asked_by: ClassVar[frozenset[Role]] = frozenset()
    while_enrolling: ClassVar[bool] = False
    under_mandate: ClassVar[bool] = False


class Command(Request):
    """Asks a service to do something, once: repeated with the same `command_id` it gets the stored answer.

    `secret`: the body or the answer must not be kept, so no answer is stored. `while_recovering`: is done also by a service
    that came back from an older copy and waits for its operators. `in_trail`: whether it is an act that the trail keeps.
    `step_up`: binds the state, so it also needs a step-up token for exactly this command.
    """

    secret: ClassVar[bool] = False
    while_recovering: ClassVar[bool] = False
    in_trail: ClassVar[bool] = True
    step_up: ClassVar[bool] = False
    command_id: UUID = Field(default_factory=uuid4)


class Question(Request):
    """Asks a service what it knows; nothing changes."""


class Event(Contract):
    """A fact. `listeners` are the services permitted to hear it; the permissions of the bus are made from them.

    `version` is that of the noun, so that a listener knows an older statement from a newer one.
    """

    subject: ClassVar[str]
    listeners: ClassVar[frozenset[str]] = frozenset()
    version: int = Field(ge=1)
    occurred_at: Instant


class FileProgress(Answer):
    """How much of a file has arrived, in bytes."""

    received: int
    complete: bool


class FileChunk(Answer):
    """A piece of a kept file, and the size in bytes of the whole."""

    chunk: Chunk
    size: int
    media_type: str


class PutFile(Command):
    """One piece of a file for its owner, addressed by the SHA-256 of the whole. `limit`: bytes of the whole.

    Pieces are no acts: to name the whole as a document is one.
    """

    answer: ClassVar[type[Answer]] = FileProgress
    in_trail: ClassVar[bool] = False
    limit: ClassVar[int]
    owner_id: UUID
    sha256: Sha256
    size: int = Field(gt=0, le=MAX_FILE)
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,80}$")]
    offset: int = Field(ge=0, le=MAX_FILE)
    chunk: Chunk


class GetFile(Question):
    """The piece of a kept file that starts at `offset`."""

    answer: ClassVar[type[Answer]] = FileChunk
    owner_id: UUID
    sha256: Sha256
    offset: int = Field(default=0, ge=0, le=MAX_FILE)
