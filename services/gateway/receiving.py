"""The HTTP address of the gateway for partners. Every genuine message is answered with a signed receipt."""

import logging
from uuid import uuid4

from opentelemetry.trace import SpanKind
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from services.gateway import store
from services.gateway.cancellations import Cancelled, find_inbound_cancellation, keep_inbound_cancellation
from services.gateway.documents_store import kind_of_received, kind_of_sent
from services.gateway.domain import (
    CLOCK_TOLERANCE,
    WAITING,
    DecidedBeforeReceived,
    DocumentKindDiffers,
    Step,
    StepTimeWrong,
    must_match_envelope,
)
from services.gateway.handlers.cancelling import InformCustoms
from services.gateway.handlers.originals import announce_if_received
from services.gateway.handlers.retransmission import TransmitAgain
from services.gateway.handlers.sending import DeliverToCustoms, advance, codes_of, details_of
from services.gateway.handlers.verifying import case_by_id
from services.gateway.kinds import RULE_OF, DocumentKinds, ExchangedKind, address_of
from services.gateway.ledger_store import store_messages
from services.gateway.verification import CaseNotFound, VerificationClocks
from services.gateway.wire.evidence import ACCEPTED, Evidence, evidence_of
from services.gateway.wire.exchange import XML_TYPE, Exchange, Opened
from services.gateway.wire.messages import (
    MAX_DETAIL,
    Acknowledgement,
    Cancellation,
    CustomsResponse,
    Document,
    Envelope,
    Kind,
    Reason,
    Receipt,
    Rejection,
    Replacement,
    VerificationAnswer,
    VerificationQuestion,
    WireModel,
)
from services.gateway.wire.opening import TRY_LATER, MessageRejected
from shared.contracts.certificates.cancelling import REPLACED
from shared.contracts.certificates.documents import FormD
from shared.contracts.gateway.transmissions import MAX_REASONS, MAX_STEP_DETAIL, StatusCode
from shared.handling.work import ServiceContext, Work
from shared.observability.tracing import OUTCOME, span
from shared.refusals import Refused


class DocumentKindNotAccepted(Refused):
    code = "document_kind_not_accepted"


log = logging.getLogger(__name__)
received = Counter(
    "co_messages_total", "Messages of partners, by sender and outcome (accepted, or a code)", ["sender", "outcome"]
)


async def receive_message(request: Request) -> HttpResponse:
    """Receives a message of a partner's gateway."""
    context: ServiceContext = request.app.state.context
    exchange = context.use(Exchange)
    try:
        address = request.client.host if request.client else ""
        client = request.scope.get("client_certificate")
        opened = await exchange.open(request.headers.get("content-type", ""), request.stream(), address, client)
        receive = RECEIVING.get(opened.envelope.kind)
        if receive is None:
            raise MessageRejected(400, "kind_not_expected", f"A {opened.envelope.kind} is only accepted as an answer.")
    except MessageRejected as no:
        log.warning("a message was rejected", extra={"code": no.code, "detail": no.detail})
        received.labels("?", no.code).inc()
        headers = {"retry-after": "5"} if no.status == TRY_LATER else {}
        return JSONResponse({"code": no.code, "detail": no.detail}, no.status, headers)

    trace = request.headers.get("traceparent") if opened.partner.trust_trace else None
    with span(f"receive {opened.envelope.kind}", under=trace, kind=SpanKind.SERVER) as opened_span:
        receipt = Receipt(in_reply_to=opened.envelope.message_id, received_at=context.clock.now())
        try:
            content = opened.content()
            async with context.work(opened_span) as work:
                await must_be_permitted(opened.envelope, content, work)
                receipt = await receive(opened, content, receipt, work)
                await store_messages(work, [evidence_about(opened)])
        except Refused as no:
            opened_span.set_attribute(OUTCOME, no.code)
            receipt = receipt.model_copy(update={"reasons": (Reason(code=no.code, detail=no.detail[:MAX_DETAIL]),)})
            log.warning("a message was refused", extra={"kind": opened.envelope.kind, "code": no.code, "detail": no.detail})
            async with context.work(opened_span) as work:
                await store_messages(work, [evidence_about(opened, no.code)])
        received.labels(opened.envelope.sender, receipt.reasons[0].code if receipt.reasons else "accepted").inc()
        signed = await exchange.signed(opened.envelope.answered(context.clock.now()), receipt, opened.contents.version)
        return HttpResponse(signed, media_type=XML_TYPE)


def evidence_about(opened: Opened, outcome: str = ACCEPTED) -> Evidence:
    """The evidence of a partner's message, for the ledger."""
    return evidence_of(opened.partner.country, opened.envelope, opened.raw, opened.contents.certificate, outcome)


async def receive_document(opened: Opened, content: WireModel, receipt: Receipt, work: Work) -> Receipt:
    """A partner's document is stored once, for our customs. If it is sent again, it gets the same receipt."""
    envelope = opened.envelope
    assert isinstance(content, Document | Replacement)
    kind = work.use(DocumentKinds).of_document(content.form)
    if not opened.partner.takes(kind.code, work.today):
        raise DocumentKindNotAccepted()
    form = address_of(content.form)
    must_match_envelope(form, sender=envelope.sender, receiver=envelope.receiver, reference=envelope.reference)
    await must_have_one_kind(envelope, kind, work)
    document_id, document = uuid4(), content.form.model_dump_json()
    is_new = await store.insert_inbound_document(
        work,
        {
            "document_id": document_id,
            "sender": envelope.sender,
            "reference": envelope.reference,
            "number": envelope.number,
            "document": document,
            "message": opened.raw,
            "received_at": receipt.received_at,
            "reasons": [],
            "valid_until": getattr(content.form, "valid_until", None),
            "kind": kind.code,
        },
    )
    if isinstance(content.form, FormD) and content.form.replaces:
        replaced = Cancelled(receipt.received_at, REPLACED, f"Replaced by {envelope.reference}.")
        await cancel_inbound(work, envelope.sender, content.form.replaces, replaced, replaced_by=envelope.reference)
    if is_new:
        work.later(DeliverToCustoms(document_id=document_id), key=document_id)
        return receipt
    known = await store.inbound_document(work, envelope.sender, envelope.reference, envelope.number)
    known.must_hold(document)
    return receipt.model_copy(update={"received_at": known.received_at})


async def receive_cancellation(opened: Opened, content: WireModel, receipt: Receipt, work: Work) -> Receipt:
    """A partner has cancelled one of its certificates. It is kept also if the document arrives later."""
    assert isinstance(content, Cancellation)
    cancelled = Cancelled(content.cancelled_at, content.reason.code, content.reason.detail)
    await cancel_inbound(work, opened.envelope.sender, opened.envelope.reference, cancelled)
    return receipt


async def cancel_inbound(work: Work, sender: str, reference: str, cancelled: Cancelled, replaced_by: str | None = None) -> None:
    """Keeps the end of a partner's certificate, and informs our customs once."""
    if await keep_inbound_cancellation(work, sender, reference, cancelled, replaced_by):
        work.later(InformCustoms(sender=sender, reference=reference), key=f"{sender}/{reference}")
        await announce_if_received(sender, reference, work)


async def receive_answer(opened: Opened, answer: WireModel, receipt: Receipt, work: Work) -> Receipt:
    """The customs of the destination have or reject our document. If the receipt was lost, the arrival is recorded now."""
    envelope = opened.envelope
    assert isinstance(answer, Acknowledgement | Rejection)
    transmission = await store.transmission_by_reference(work, envelope.reference, envelope.number)
    transmission.must_be_decided_by(envelope.sender)
    work.is_about("certificate", transmission.certificate_id)
    if transmission.is_cancelled:
        return receipt

    received, decided = Step(StatusCode.AS2, answer.received_at, envelope.sender), decision_of(answer, envelope.sender)
    if not all(transmission.is_possible(step, work.now) for step in (received, decided)):
        raise StepTimeWrong()
    if decided.at < received.at - CLOCK_TOLERANCE:
        raise DecidedBeforeReceived()
    advance(transmission, received, work)
    advance(transmission, decided, work)
    return receipt


async def must_have_one_kind(envelope: Envelope, kind: ExchangedKind, work: Work) -> None:
    """Raises DocumentKindDiffers if the reference is that of a document of another kind, also of a cancelled one."""
    if await kind_of_received(work, envelope.sender, envelope.reference) not in (None, kind.code):
        raise DocumentKindDiffers()
    if not kind.rules.can_be_cancelled and await find_inbound_cancellation(work, envelope.sender, envelope.reference):
        raise DocumentKindDiffers()


async def must_be_permitted(envelope: Envelope, content: WireModel, work: Work) -> None:
    """Raises NotForThisKind if such a message is not for the kind of document that it names. Unknown documents come later."""
    if envelope.kind not in RULE_OF:
        return
    if envelope.kind in (Kind.CANCELLATION, Kind.REPLACEMENT):  # about a document of the sender
        reference = content.replaces if isinstance(content, Replacement) else envelope.reference
        kind = await kind_of_received(work, envelope.sender, reference)
    else:
        kind = await kind_of_sent(work, envelope.reference)
    if kind is not None:
        work.use(DocumentKinds).of(kind).must_permit(envelope.kind)


def decision_of(answer: Acknowledgement | Rejection, country: str) -> Step:
    """The step of the answer of customs: REC, or NOT with its reasons."""
    if isinstance(answer, Acknowledgement):
        return Step(StatusCode.REC, answer.available_at, country)
    return Step(StatusCode.NOT, answer.rejected_at, country, codes_of(answer.reasons), details_of(answer.reasons))


async def receive_customs_response(opened: Opened, response: WireModel, receipt: Receipt, work: Work) -> Receipt:
    """The customs of the destination have decided on the preference. The steps before it are recorded if they are missing."""
    envelope = opened.envelope
    assert isinstance(response, CustomsResponse)
    transmission = await store.transmission_by_reference(work, envelope.reference, envelope.number)
    transmission.must_be_decided_by(envelope.sender)
    work.is_about("certificate", transmission.certificate_id)
    if transmission.is_cancelled:
        return receipt

    decided = response_step(response, envelope.sender)
    if not transmission.is_possible(decided, work.now):
        raise StepTimeWrong()
    for code in (StatusCode.AS2, StatusCode.REC) if transmission.code in WAITING else ():
        advance(transmission, Step(code, decided.at, envelope.sender), work)
    advance(transmission, decided, work)
    return receipt


async def receive_retransmission_request(opened: Opened, request: WireModel, receipt: Receipt, work: Work) -> Receipt:
    """The customs of the destination request our document once more. A document that still waits is sent anyway."""
    envelope = opened.envelope
    transmission = await store.transmission_by_reference(work, envelope.reference, envelope.number)
    transmission.must_be_decided_by(envelope.sender)
    work.is_about("certificate", transmission.certificate_id)
    if transmission.code != StatusCode.AS1:
        work.later(TransmitAgain(transmission_id=transmission.transmission_id), key=transmission.transmission_id)
    return receipt


async def receive_question(opened: Opened, question: WireModel, receipt: Receipt, work: Work) -> Receipt:
    """The customs of the destination ask to verify our certificate. An officer must answer by the last day."""
    envelope = opened.envelope
    assert isinstance(question, VerificationQuestion)
    transmission = await store.transmission_by_reference(work, envelope.reference, envelope.number)
    transmission.must_be_decided_by(envelope.sender)
    work.is_about("certificate", transmission.certificate_id)
    answer_by, close_by = work.use(VerificationClocks).of(work.today)
    case = {
        "case_id": question.case_id,
        "ours": False,
        "partner": envelope.sender,
        "reference": envelope.reference,
        "number": envelope.number,
        "reason": question.reason.code,
        "question": question.reason.detail,
        "asked_at": question.asked_at,
        "answer_by": answer_by,
        "close_by": close_by,
        "items": [each.item for each in question.items],
        "answered": False,
    }
    await work.insert_new(store.verification_cases, [case])
    return receipt


async def receive_verification(opened: Opened, answer: WireModel, receipt: Receipt, work: Work) -> Receipt:
    """The issuing authority has answered a question of our customs. The first answer counts."""
    assert isinstance(answer, VerificationAnswer)
    case = await case_by_id(work, answer.case_id)
    if not case.ours or (case.partner, case.reference) != (opened.envelope.sender, opened.envelope.reference):
        raise CaseNotFound()
    case.take_answer(answer.answered_at, answer.outcome, answer.text)
    return receipt


def response_step(response: CustomsResponse, country: str) -> Step:
    """The step of a decision on the preference, with the reasons of its items."""
    of_items = {each.item: each.reasons for each in response.items if each.reasons}
    texts = [reason.detail for reason in response.reasons]
    if of_items:
        texts.append(f"items {', '.join(map(str, sorted(of_items)))}")
    codes = codes_of((*response.reasons, *(reason for reasons in of_items.values() for reason in reasons)))
    return Step(response.code, response.decided_at, country, codes[:MAX_REASONS], "; ".join(texts)[:MAX_STEP_DETAIL] or None)


RECEIVING = {
    Kind.CUSTOMS_RESPONSE: receive_customs_response,
    Kind.RETRANSMISSION_REQUEST: receive_retransmission_request,
    Kind.VERIFICATION_QUESTION: receive_question,
    Kind.VERIFICATION_ANSWER: receive_verification,
    Kind.DOCUMENT: receive_document,
    Kind.REPLACEMENT: receive_document,
    Kind.CANCELLATION: receive_cancellation,
    Kind.ACKNOWLEDGEMENT: receive_answer,
    Kind.REJECTION: receive_answer,
}

routes = [Route("/asw/messages", receive_message, methods=["POST"])]
