"""The classes of message that cross the bus.

A command is imperative and changes something; a question changes nothing; an event says what has happened.
The subject is a literal on the class: `<kind>.<noun>.<verb>.v<n>`. Within v1 only optional fields are added.
"""

from typing import Annotated, ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.fields import MAX_FILE, Chunk, Instant, Sha256, Slug
from shared.contracts.roles import Role

TRY_AGAIN = "temporarily_unavailable"
"""The code of a refusal that no rule causes: the same request may succeed later."""


class Contract(BaseModel):
    """A message or a part of one: immutable, and tolerant of fields that a later release adds.

    `about`: the field with the id of what the message is about. The audit log records the noun and the id of a command; inbox
    and outbox keep the id of an event, by which traces are joined. `about_noun`: the noun, where the field's name does not give
    it. `permitted_by`: the field with the id of the exporter whose standing permits it; the trace links to its last event.
    """

    about: ClassVar[str] = ""
    about_noun: ClassVar[str] = ""
    permitted_by: ClassVar[str] = ""
    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True
    )


def subject_of(message: Contract) -> tuple[str, UUID | int] | None:
    """The noun and the id that a message is about, as its class declares; None where it declares none or has no value."""
    value = getattr(message, message.about) if message.about else None
    return None if value is None else (message.about_noun or message.about.removesuffix("_id"), value)


class Part(Contract):
    """A part of a command or question: unknown fields are refused, as in the whole."""

    model_config = ConfigDict(extra="forbid")


class Answer(Contract):
    """What a command or question is answered with."""


class Refusal(Answer):
    """The answer of a rule that said no. Nothing was changed. `values` fill the sentence of the code in any language."""

    code: Slug
    detail: str
    fields: tuple[str, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)


class Request(Contract):
    """A command or a question.

    `anonymous`: needs no actor token. `asked_by`: the roles that may ask; empty where every signed-in person may. The handler
    checks ownership. `while_enrolling`: an officer without a second factor may ask. `under_mandate`: an agent may ask for the
    exporter whose mandate it has.
    """

    model_config = ConfigDict(extra="forbid")
    subject: ClassVar[str]
    answer: ClassVar[type[Answer]]
    anonymous: ClassVar[bool] = False
    asked_by: ClassVar[frozenset[Role]] = frozenset()
    while_enrolling: ClassVar[bool] = False
    under_mandate: ClassVar[bool] = False


class Command(Request):
    """Changes something, once: a repeated command with the same `command_id` gets the stored answer.

    `secret`: no answer is stored, because the body or the answer must not be kept. `while_recovering`: a service in recovery
    accepts it. `audited`: the audit log records it. `step_up`: it needs a step-up token for exactly this command.
    """

    secret: ClassVar[bool] = False
    while_recovering: ClassVar[bool] = False
    audited: ClassVar[bool] = True
    step_up: ClassVar[bool] = False
    command_id: UUID = Field(default_factory=uuid4)


class Question(Request):
    """Asks a service what it knows; nothing changes."""


class OperatorRequest(Request):
    """Every service answers it. Only the operator's user on the bus may publish it, so it carries no actor token."""

    anonymous: ClassVar[bool] = True


class OperatorCommand(OperatorRequest, Command):
    """A command of the operator."""


class OperatorQuestion(OperatorRequest, Question):
    """A question of the operator."""


class Event(Contract):
    """A fact. `listeners`: the services that may receive it; the permissions of the bus are generated from them.

    `known_by`: the field with the public reference by which its trace can be found. `version` is that of the noun, so that a
    listener can tell an older statement from a newer one.
    """

    subject: ClassVar[str]
    listeners: ClassVar[frozenset[str]] = frozenset()
    known_by: ClassVar[str] = ""
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

    The audit log records the command that names the whole file as a document, not its pieces.
    """

    answer: ClassVar[type[Answer]] = FileProgress
    audited: ClassVar[bool] = False
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
