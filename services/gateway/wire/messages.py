"""What gateways say to each other: a document, the receipt for a message, and customs' response to a document."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contracts.certificates.documents import FormD
from shared.contracts.fields import Country, Instant, Reference, Slug, Text
from shared.contracts.gateway import MAX_REASONS, StatusCode

MAX_DETAIL = 500
"""Characters of one reason. 200 reasons of 500 characters of four bytes are 400 KB, and an answer on the bus has 1,000 KB."""


class Kind(StrEnum):
    """What a message is; also the name of the element that holds its content."""

    DOCUMENT = "Document"
    RECEIPT = "Receipt"
    RESPONSE = "Response"


class Told(BaseModel):
    """Anything told between gateways; what a later version adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Envelope(Told):
    """Who tells whom, when, and about which transmission. Sent again, a message keeps its id."""

    message_id: UUID
    kind: Kind
    sender: Country
    receiver: Country
    sent_at: Instant
    reference: Reference
    number: Annotated[int, Field(ge=1, le=9999)]

    def answered(self, at: Instant) -> "Envelope":
        """The envelope of the receipt for this message; the same receipt, however often it is given."""
        return Envelope(
            message_id=uuid5(self.message_id, Kind.RECEIPT),
            kind=Kind.RECEIPT,
            sender=self.receiver,
            receiver=self.sender,
            sent_at=at,
            reference=self.reference,
            number=self.number,
        )


class Reason(Told):
    """Why something was not taken: a slug that the public may see, and what the other side wrote."""

    code: Slug
    detail: Annotated[Text, Field(max_length=MAX_DETAIL)]


Reasons = Annotated[tuple[Reason, ...], Field(max_length=MAX_REASONS)]


class Document(Told):
    """An e-Form D for the customs of the receiver."""

    form: FormD


class Receipt(Told):
    """The receiver has, or has refused, the message; `reasons` are there only where it refused."""

    in_reply_to: UUID
    received_at: Instant
    reasons: Reasons = ()


class Response(Told):
    """What customs decided on a document: REC or NOT, when, and when its gateway had received the document."""

    code: Literal[StatusCode.REC, StatusCode.NOT]
    decided_at: Instant
    received_at: Instant
    reasons: Reasons = ()

    @model_validator(mode="after")
    def _reasons_go_with_not(self) -> "Response":
        if (self.code is StatusCode.NOT) != bool(self.reasons):
            raise ValueError("NOT needs reasons, and REC has none")
        return self


CONTENTS: dict[Kind, type[Told]] = {Kind.DOCUMENT: Document, Kind.RECEIPT: Receipt, Kind.RESPONSE: Response}
