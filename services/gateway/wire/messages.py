"""The messages between gateways: a document, the receipt for a message, and the response of customs to a document."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contracts.certificates.documents import FormD
from shared.contracts.fields import Country, Instant, Reference, Slug, Text
from shared.contracts.gateway import MAX_REASONS, StatusCode

MAX_DETAIL = 500
"""Maximum characters of one reason. 200 reasons of 500 characters are up to 400 KB, and an answer has up to 1,000 KB."""


class Kind(StrEnum):
    """The kind of a message, which is also the name of the XML element with its content."""

    DOCUMENT = "Document"
    RECEIPT = "Receipt"
    RESPONSE = "Response"


class WireModel(BaseModel):
    """A part of a message between gateways. Fields that a later version adds are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Envelope(WireModel):
    """The envelope of a message: sender, receiver, time and transmission. A message that is sent again keeps its id."""

    message_id: UUID
    kind: Kind
    sender: Country
    receiver: Country
    sent_at: Instant
    reference: Reference
    number: Annotated[int, Field(ge=1, le=9999)]

    def answered(self, at: Instant) -> "Envelope":
        """The envelope of the receipt for this message. Every receipt for it has the same id."""
        return Envelope(
            message_id=uuid5(self.message_id, Kind.RECEIPT),
            kind=Kind.RECEIPT,
            sender=self.receiver,
            receiver=self.sender,
            sent_at=at,
            reference=self.reference,
            number=self.number,
        )


class Reason(WireModel):
    """The reason of a rejection: a public code, and the text of the other side."""

    code: Slug
    detail: Annotated[Text, Field(max_length=MAX_DETAIL)]


Reasons = Annotated[tuple[Reason, ...], Field(max_length=MAX_REASONS)]


class Document(WireModel):
    """An e-Form D for the customs of the receiver."""

    form: FormD


class Receipt(WireModel):
    """The receiver has accepted the message, or has rejected it with `reasons`."""

    in_reply_to: UUID
    received_at: Instant
    reasons: Reasons = ()


class Response(WireModel):
    """The decision of customs on a document, REC or NOT. `received_at`: when their gateway had received the document."""

    code: Literal[StatusCode.REC, StatusCode.NOT]
    decided_at: Instant
    received_at: Instant
    reasons: Reasons = ()

    @model_validator(mode="after")
    def _reasons_go_with_not(self) -> "Response":
        if (self.code is StatusCode.NOT) != bool(self.reasons):
            raise ValueError("NOT needs reasons, and REC has none")
        return self


CONTENTS: dict[Kind, type[WireModel]] = {Kind.DOCUMENT: Document, Kind.RECEIPT: Receipt, Kind.RESPONSE: Response}
