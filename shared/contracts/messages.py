"""The base classes of all messages on the bus.

A command changes something; a question changes nothing; an event reports a change. The subject is a constant of the class:
`<kind>.<noun>.<verb>.v<n>`. A version gets only new optional fields.
"""

from typing import Annotated, ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contracts.fields import MAX_FILE, Chunk, Instant, Sha256, Slug
from shared.contracts.roles import Role

TRY_AGAIN = "temporarily_unavailable"
"""The code of a temporary failure: the same request may succeed later."""


class Contract(BaseModel):
    """A message or a part of one. It is immutable and ignores fields that a later release adds.

    `about`: the name of the field with the id of the message's subject. The audit log records the noun and the id of a command;
    inbox and outbox store the id of an event, which joins traces. `about_noun`: the noun, if it is not the name of the field
    without `_id`. `permitted_by`: the field with the id of the exporter whose registration permits it; the trace links to its
    last event.
    """

    about: ClassVar[str] = ""
    about_noun: ClassVar[str] = ""
    permitted_by: ClassVar[str] = ""
    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True
    )


def subject_of(message: Contract) -> tuple[str, UUID | int] | None:
    """The noun and the id of a message's subject; None if its class declares no `about` or the field has no value."""
    value = getattr(message, message.about) if message.about else None
    return None if value is None else (message.about_noun or message.about.removesuffix("_id"), value)


class Part(Contract):
    """A part of a command or question. Unknown fields are refused, as in the request itself."""

    model_config = ConfigDict(extra="forbid")


class Answer(Contract):
    """The answer to a command or question."""


class Problem(Contract):
    """Why a request is refused. `detail`: the sentence in English. `fields`: the fields concerned.

    `values`: the placeholders of the sentence. A problem of a certificate also has its `box` and its `item` there.
    """

    code: Slug
    detail: str
    fields: tuple[str, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)


class Refusal(Answer, Problem):
    """The answer if a rule refuses the request. Nothing was changed.

    `problems`: each problem, if there are several; the refusal then has all their fields. `each` has them in every case.
    """

    problems: tuple[Problem, ...] = ()

    @property
    def each(self) -> tuple[Problem, ...]:
        """Every problem: those of the list, or the refusal itself if it is the only one."""
        return self.problems or (self,)


class Request(Contract):
    """A command or a question.

    `anonymous`: it needs no actor token. `asked_by`: the permitted roles; empty if every signed-in person may send it. The
    handler checks ownership. `read_by`: the roles that read what belongs to others. `while_enrolling`: a person who
    must have a second factor and has none may send it. `under_mandate`: an agent may send it for an exporter.
    `answered_within`: seconds that an answer may take because it reads everything; a client sends it again only after these.

    A question for a list has `limit` and `after`, or `before` if the newest comes first. Its answer has `next`, the cursor of
    the next page, or None at the end.
    """

    model_config = ConfigDict(extra="forbid")
    subject: ClassVar[str]
    answer: ClassVar[type[Answer]]
    anonymous: ClassVar[bool] = False
    asked_by: ClassVar[frozenset[Role]] = frozenset()
    read_by: ClassVar[frozenset[Role]] = frozenset()
    while_enrolling: ClassVar[bool] = False
    under_mandate: ClassVar[bool] = False
    answered_within: ClassVar[float | None] = None


class Command(Request):
    """Changes something, once: a duplicate with the same `command_id` gets the stored answer.

    `secret`: no answer is stored, because the body or the answer is secret. `while_recovering`: a service in recovery accepts
    it. `audited`: the audit log records it. `step_up`: it needs a step-up token for exactly this command.
    """

    secret: ClassVar[bool] = False
    while_recovering: ClassVar[bool] = False
    audited: ClassVar[bool] = True
    step_up: ClassVar[bool] = False
    command_id: UUID = Field(default_factory=uuid4)


class Question(Request):
    """Reads data of a service and changes nothing."""


class OperatorRequest(Request):
    """A request to every service, or to the one that declares it.

    Only the operator's user on the bus may publish it; it has no actor token.
    """

    anonymous: ClassVar[bool] = True


class OperatorCommand(OperatorRequest, Command):
    """A command of the operator."""


class OperatorQuestion(OperatorRequest, Question):
    """A question of the operator."""


class Event(Contract):
    """A change that has happened. `listeners`: the services that may receive it; the bus permits only these.

    `known_by`: the field with the public reference that finds its trace. `version`: the version of the noun, so that a
    listener can recognise an older event.
    """

    subject: ClassVar[str]
    listeners: ClassVar[frozenset[str]] = frozenset()
    known_by: ClassVar[str] = ""
    version: int = Field(ge=1)
    occurred_at: Instant


class FileProgress(Answer):
    """How many bytes of a file were received, and whether it is complete."""

    received: int
    complete: bool


class FileChunk(Answer):
    """A chunk of a stored file, and the size of the file in bytes."""

    chunk: Chunk
    size: int
    media_type: str


class PutFile(Command):
    """Stores one chunk of a file for its owner. `sha256`, `size`: of the complete file. `limit`: maximum bytes of a file.

    The audit log records the command that uses the file as a document, not the chunks.
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
    """The chunk of a stored file that starts at `offset`."""

    answer: ClassVar[type[Answer]] = FileChunk
    owner_id: UUID
    sha256: Sha256
    offset: int = Field(default=0, ge=0, le=MAX_FILE)
