"""The messages between gateways: an envelope, and a content of one kind."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, model_validator

from shared.contracts.certificates.documents import FormD
from shared.contracts.fields import Country, Instant, Line, Reference, Slug, Text
from shared.contracts.gateway.transmissions import MAX_REASONS, StatusCode
from shared.contracts.gateway.verification import VerificationOutcome
from shared.contracts.messages import Contract
from shared.xml.document_types import type_of

MAX_DETAIL = 500
"""Maximum characters of one reason. 200 reasons of 500 characters are up to 400 KB, and an answer has up to 1,000 KB."""

ItemNumber = Annotated[int, Field(ge=1, le=100_000)]


class Kind(StrEnum):
    """The kind of a message, which is also the name of the XML element with its content."""

    DOCUMENT = "Document"
    RECEIPT = "Receipt"
    ACKNOWLEDGEMENT = "Acknowledgement"
    REJECTION = "Rejection"
    CANCELLATION = "Cancellation"
    REPLACEMENT = "Replacement"
    RETRANSMISSION_REQUEST = "RetransmissionRequest"
    CUSTOMS_RESPONSE = "CustomsResponse"
    VERIFICATION_QUESTION = "VerificationQuestion"
    VERIFICATION_ANSWER = "VerificationAnswer"


class WireModel(BaseModel):
    """A part of a message between gateways."""

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
    """The reason of a refusal: a public code, and the text of the other side. `item`: the number of the item it is about."""

    code: Slug
    detail: Annotated[Text, Field(max_length=MAX_DETAIL)]
    item: ItemNumber | None = None


Reasons = Annotated[tuple[Reason, ...], Field(max_length=MAX_REASONS)]


class Document(WireModel):
    """A document for the customs of the receiver, of any kind that is exchanged."""

    form: SerializeAsAny[Contract]

    @model_validator(mode="after")
    def _is_of_a_known_kind(self) -> "Document":
        type_of(self.form)
        return self


class Receipt(WireModel):
    """The receiver's gateway has accepted the message, or has refused it with `reasons`."""

    in_reply_to: UUID
    received_at: Instant
    reasons: Reasons = ()


class Acknowledgement(WireModel):
    """The document is in the customs system of the destination since `available_at` (REC)."""

    received_at: Instant
    available_at: Instant


class Rejection(WireModel):
    """The customs system of the destination did not take the document (NOT)."""

    received_at: Instant
    rejected_at: Instant
    reasons: Annotated[Reasons, Field(min_length=1)]


class Cancellation(WireModel):
    """The issuing authority has cancelled the certificate (Annex 8, Rule 29)."""

    cancelled_at: Instant
    reason: Reason


class Replacement(WireModel):
    """A certificate that replaces and cancels the former one (Annex 8, Rule 29). The envelope names the new one."""

    replaces: Reference
    form: FormD

    @model_validator(mode="after")
    def _names_the_same_certificate(self) -> "Replacement":
        if self.form.replaces != self.replaces:
            raise ValueError("the document must name the certificate that it replaces")
        return self


class RetransmissionRequest(WireModel):
    """The receiver requests the document once more (Annex 8, Rule 29)."""

    requested_at: Instant
    reason: Reason


class ItemDecision(WireModel):
    """The decision of customs on one item."""

    item: ItemNumber
    code: Literal[StatusCode.UTL, StatusCode.DEN]
    reasons: Reasons = ()


class CustomsResponse(WireModel):
    """The decision of customs on the preference (Annex 8, Rules 13 and 30): utilised (UTL), in part (UTP) or denied (DEN).

    `items`: the decision on each item if they differ. `declaration`: the number of the import declaration.
    """

    code: Literal[StatusCode.UTL, StatusCode.UTP, StatusCode.DEN]
    decided_at: Instant
    declaration: Line | None = None
    reasons: Reasons = ()
    items: Annotated[tuple[ItemDecision, ...], Field(max_length=2000)] = ()

    @model_validator(mode="after")
    def _reasons_go_with_a_denial(self) -> "CustomsResponse":
        codes = {each.code for each in self.items}
        if self.code is StatusCode.DEN and not self.reasons:
            raise ValueError("DEN needs reasons")
        if self.code is StatusCode.UTP and codes != {StatusCode.UTL, StatusCode.DEN}:
            raise ValueError("UTP needs items of both decisions")
        if self.code is not StatusCode.UTP and codes - {self.code}:
            raise ValueError("the decisions of the items differ from that of the document")
        if any((each.code is StatusCode.DEN) != bool(each.reasons) for each in self.items):
            raise ValueError("a denied item needs reasons, and a utilised item has none")
        return self


class QuestionedItem(WireModel):
    """An item that a verification is about."""

    item: ItemNumber


class VerificationQuestion(WireModel):
    """Customs ask the issuing authority to verify a certificate (Annex 8, Rule 18). No `items` means all items."""

    case_id: UUID
    asked_at: Instant
    answer_by: date
    reason: Reason
    items: Annotated[tuple[QuestionedItem, ...], Field(max_length=2000)] = ()


class VerificationAnswer(WireModel):
    """The answer of the issuing authority, within 90 days of the question (Annex 8, Rule 18)."""

    case_id: UUID
    answered_at: Instant
    outcome: VerificationOutcome
    text: Text
