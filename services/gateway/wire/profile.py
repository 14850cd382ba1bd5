"""The layouts of messages: the envelope, and the content of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.gateway.wire.messages import (
    Acknowledgement,
    Cancellation,
    CustomsResponse,
    Document,
    Kind,
    Receipt,
    Rejection,
    Replacement,
    RetransmissionRequest,
    VerificationAnswer,
    VerificationQuestion,
    WireModel,
)
from shared.contracts.gateway.verification import VerificationOutcome
from shared.xml.layout import (
    COUNT,
    COUNTRY,
    DAY,
    DETAIL,
    INSTANT,
    LINE,
    NUMBER,
    REFERENCE,
    SLUG,
    TEXT,
    UUID_,
    Layout,
    Part,
    Place,
    code_type,
)

KIND = code_type("Kind", *Kind)
DECISION = code_type("Decision", "UTL", "UTP", "DEN")
ITEM_DECISION = code_type("ItemDecision", "UTL", "DEN")
OUTCOME = code_type("VerificationOutcome", *VerificationOutcome)

ENVELOPE: Layout = {
    "message_id": Place("MessageID", UUID_, "The id of the message. A message that is sent again keeps it."),
    "kind": Place("Kind", KIND, "The kind of the message: the name of the element with its content."),
    "sender": Place("Sender/CountryCode", COUNTRY, "The country of the sender."),
    "receiver": Place("Receiver/CountryCode", COUNTRY, "The country of the receiver."),
    "sent_at": Place("SentAt", INSTANT, "When the message was made, in UTC."),
    "reference": Place("Reference", REFERENCE, "The reference of the document that the message is about."),
    "number": Place("TransmissionNumber", NUMBER, "The number of the transmission of this document, from 1."),
}
REASON: Layout = {
    "code": Place("Code", SLUG, "The public code of the reason."),
    "detail": Place("Detail", DETAIL, "The reason as text."),
    "item": Place("SequenceNumeric", COUNT, "The number of the item that the reason is about.", optional=True, since=2),
}
REASONS = Part("Reason", REASON, "Why it was refused.", optional=True, many=True)
A_REASON = Part("Reason", REASON, "The reason.")
ITEM_DECISIONS: Layout = {
    "item": Place("SequenceNumeric", COUNT, "The number of the item."),
    "code": Place("Code", ITEM_DECISION, "Utilised (UTL) or denied (DEN)."),
    "reasons": Part("Reason", REASON, "Why the preference is denied.", optional=True, many=True),
}
QUESTIONED_ITEM: Layout = {"item": Place("SequenceNumeric", COUNT, "The number of an item.")}


@dataclass(frozen=True)
class Content:
    """The content of one kind of message: its meaning, model and layout, and whether it also holds a document."""

    meaning: str
    model: type[WireModel]
    layout: Layout
    holds_document: bool = False
    since: int = 1


CONTENTS: Mapping[Kind, Content] = {
    Kind.DOCUMENT: Content("A document for the customs of the receiver.", Document, {}, holds_document=True),
    Kind.RECEIPT: Content(
        "The answer to every message: the gateway of the receiver has accepted it, or refuses it with reasons.",
        Receipt,
        {
            "in_reply_to": Place("InReplyTo", UUID_, "The id of the message that it answers."),
            "received_at": Place("ReceivedAt", INSTANT, "When the message was received."),
            "reasons": REASONS,
        },
    ),
    Kind.ACKNOWLEDGEMENT: Content(
        "REC: the document is in the customs system of the destination.",
        Acknowledgement,
        {
            "received_at": Place("ReceivedAt", INSTANT, "When the gateway of the destination received it (AS2)."),
            "available_at": Place("AvailableAt", INSTANT, "When it was available to customs (REC)."),
        },
    ),
    Kind.REJECTION: Content(
        "NOT: the customs system of the destination did not take the document.",
        Rejection,
        {
            "received_at": Place("ReceivedAt", INSTANT, "When the gateway of the destination received it (AS2)."),
            "rejected_at": Place("RejectedAt", INSTANT, "When it was rejected (NOT)."),
            "reasons": Part("Reason", REASON, "Why it was rejected.", many=True, at_least=1),
        },
    ),
    Kind.CANCELLATION: Content(
        "CAN: the issuing authority has cancelled the certificate (Rule 29).",
        Cancellation,
        {
            "cancelled_at": Place("CancelledAt", INSTANT, "When it was cancelled."),
            "reason": A_REASON,
        },
    ),
    Kind.REPLACEMENT: Content(
        "A certificate that replaces and cancels a former one (Rule 29).",
        Replacement,
        {"replaces": Place("ReplacedReference", REFERENCE, "The reference of the former certificate.")},
        holds_document=True,
        since=2,
    ),
    Kind.RETRANSMISSION_REQUEST: Content(
        "The receiver requests the document once more (Rule 29).",
        RetransmissionRequest,
        {
            "requested_at": Place("RequestedAt", INSTANT, "When it was requested."),
            "reason": A_REASON,
        },
        since=2,
    ),
    Kind.CUSTOMS_RESPONSE: Content(
        "UTL, UTP, DEN: the decision of customs on the preference (Rules 13 and 30).",
        CustomsResponse,
        {
            "code": Place("Code", DECISION, "Utilised (UTL), utilised in part (UTP) or denied (DEN)."),
            "decided_at": Place("DecidedAt", INSTANT, "When customs decided."),
            "declaration": Place("Declaration/ID", LINE, "The number of the import declaration.", optional=True),
            "reasons": REASONS,
            "items": Part("ItemDecision", ITEM_DECISIONS, "The decision on each item.", optional=True, many=True),
        },
        since=2,
    ),
    Kind.VERIFICATION_QUESTION: Content(
        "Customs ask the issuing authority to verify a certificate (Rule 18).",
        VerificationQuestion,
        {
            "case_id": Place("CaseID", UUID_, "The id of the case."),
            "asked_at": Place("AskedAt", INSTANT, "When the question was sent."),
            "answer_by": Place("AnswerBy", DAY, "The last day of an answer: 90 days later."),
            "reason": A_REASON,
            "items": Part("Item", QUESTIONED_ITEM, "The items; none means all.", optional=True, many=True),
        },
        since=2,
    ),
    Kind.VERIFICATION_ANSWER: Content(
        "The answer of the issuing authority (Rule 18).",
        VerificationAnswer,
        {
            "case_id": Place("CaseID", UUID_, "The id of the case."),
            "answered_at": Place("AnsweredAt", INSTANT, "When it was answered."),
            "outcome": Place("Outcome", OUTCOME, "The result of the verification."),
            "text": Place("Text", TEXT, "The findings."),
        },
        since=2,
    ),
}


def kinds_of(version: int) -> list[Kind]:
    """The kinds of messages that a version has."""
    return [kind for kind, content in CONTENTS.items() if content.since <= version]
