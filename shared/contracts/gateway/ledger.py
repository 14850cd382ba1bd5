"""The ledger of messages: every message that was exchanged with a partner, with its signature."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import MAX_FILE, Country, Cursor, Reference
from shared.contracts.messages import Answer, Contract, FileChunk, Question
from shared.contracts.roles import Role

READERS = frozenset({Role.REVIEWER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR})


class Verdict(StrEnum):
    """The result of the verification of a stored message."""

    VALID = "valid"
    ALTERED = "altered"
    UNREADABLE = "unreadable"


class ListedMessage(Contract):
    """A message in the ledger. `ours`: whether this gateway has sent it. `outcome`: `accepted`, or the code of a refusal."""

    message_id: UUID
    partner: str
    ours: bool
    kind: str
    reference: str
    number: int
    at: datetime
    outcome: str


class ExchangedMessages(Answer):
    """One page of messages, newest first."""

    messages: tuple[ListedMessage, ...]
    next: str | None = None


class ListExchangedMessages(Question):
    """Which messages were exchanged? Of all certificates, of one (`reference`), or with one id (`message_id`)."""

    subject: ClassVar[str] = "qry.exchanged-messages.list.v1"
    answer: ClassVar[type[Answer]] = ExchangedMessages
    asked_by: ClassVar[frozenset[Role]] = READERS
    reference: Reference | None = None
    message_id: UUID | None = None
    partner: Country | None = None
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class SignerCertificate(Contract):
    """The certificate whose key has signed a message. `pinned`: whether it is used today."""

    subject: str
    serial: str
    sha256: str
    valid_from: datetime
    valid_until: datetime
    pinned: bool


class ExchangedMessage(Answer):
    """A message, and its signature as it was verified at `verified_at`.

    `sent_at`: the time in the message; `at`: when it was exchanged. `kept_until`: until when it is stored at least. `size`: of
    its XML, in bytes.
    """

    message_id: UUID
    partner: str
    ours: bool
    kind: str
    reference: str
    number: int
    sent_at: datetime
    at: datetime
    outcome: str
    verdict: Verdict
    verified_at: datetime
    signer: SignerCertificate | None
    size: int
    kept_until: datetime


class GetExchangedMessage(Question):
    """What is this message, and is its signature valid now?"""

    subject: ClassVar[str] = "qry.exchanged-message.get.v1"
    answer: ClassVar[type[Answer]] = ExchangedMessage
    asked_by: ClassVar[frozenset[Role]] = READERS
    partner: Country
    ours: bool
    message_id: UUID


class ReadExchangedMessage(Question):
    """The XML of a message, as it was exchanged: the chunk that starts at `offset`."""

    subject: ClassVar[str] = "qry.exchanged-message.read.v1"
    answer: ClassVar[type[Answer]] = FileChunk
    asked_by: ClassVar[frozenset[Role]] = READERS
    partner: Country
    ours: bool
    message_id: UUID
    offset: int = Field(default=0, ge=0, le=MAX_FILE)
