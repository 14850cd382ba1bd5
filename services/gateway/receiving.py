"""The gateway's address for partners: every genuine message is answered with a signed receipt."""

import logging
from uuid import uuid4

from opentelemetry.trace import SpanKind
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from services.gateway import store
from services.gateway.domain import CLOCKS_APART, DecidedBeforeReceived, Step, StepTimeWrong, must_belong_here
from services.gateway.handlers import DeliverToCustoms, advance, slugs, written
from services.gateway.wire.exchange import XML_TYPE, Exchange, Opened
from services.gateway.wire.messages import Document, Kind, Reason, Receipt, Response, Told
from services.gateway.wire.opening import TRY_LATER, NotTaken
from shared.contracts.gateway import StatusCode
from shared.handling.work import ServiceContext, Work
from shared.observability.tracing import OUTCOME, span
from shared.refusals import Refused

log = logging.getLogger(__name__)


async def receive_message(request: Request) -> HttpResponse:
    """A partner's gateway hands in a message."""
    context: ServiceContext = request.app.state.context
    exchange = context.use(Exchange)
    try:
        address = request.client.host if request.client else ""
        opened = await exchange.open(request.headers.get("content-type", ""), request.stream(), address)
        receive = RECEIVING.get(opened.envelope.kind)
        if receive is None:
            raise NotTaken(400, "kind_not_expected", f"A {opened.envelope.kind} is not sent here by itself.")
    except NotTaken as no:
        log.warning("a message was not taken", extra={"code": no.code, "detail": no.detail})
        headers = {"retry-after": "5"} if no.status == TRY_LATER else {}
        return JSONResponse({"code": no.code, "detail": no.detail}, no.status, headers)

    trace = request.headers.get("traceparent") if opened.partner.trust_trace else None
    with span(f"receive {opened.envelope.kind}", under=trace, kind=SpanKind.SERVER) as opened_span:
        receipt = Receipt(in_reply_to=opened.envelope.message_id, received_at=context.clock.now())
        try:
            content = opened.content()
            async with context.work(opened_span) as work:
                receipt = await receive(opened, content, receipt, work)
        except Refused as no:
            opened_span.set_attribute(OUTCOME, no.code)
            receipt = receipt.model_copy(update={"reasons": (Reason(code=no.code, detail=no.detail),)})
        signed = await exchange.signed(opened.envelope.answered(context.clock.now()), receipt)
        return HttpResponse(signed, media_type=XML_TYPE)


async def receive_document(opened: Opened, content: Told, receipt: Receipt, work: Work) -> Receipt:
    """A partner's document is kept once, for our customs; received again, it gets the same receipt."""
    envelope = opened.envelope
    assert isinstance(content, Document)
    must_belong_here(content.form, sender=envelope.sender, receiver=envelope.receiver, reference=envelope.reference)
    document_id, document = uuid4(), content.form.model_dump_json()
    is_new = await store.keep_inbound_document(
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
        },
    )
    if is_new:
        work.later(DeliverToCustoms(document_id=document_id), key=document_id)
        return receipt
    known = await store.inbound_document(work, envelope.sender, envelope.reference, envelope.number)
    known.must_hold(document)
    return receipt.model_copy(update={"received_at": known.received_at})


async def receive_response(opened: Opened, response: Told, receipt: Receipt, work: Work) -> Receipt:
    """The customs of the destination decided on our document; where its receipt was lost, this says when it arrived."""
    envelope = opened.envelope
    assert isinstance(response, Response)
    transmission = await store.transmission_by_reference(work, envelope.reference, envelope.number)
    transmission.must_be_decided_by(envelope.sender)
    work.is_about("certificate", transmission.certificate_id)

    received = Step(StatusCode.AS2, response.received_at, envelope.sender)
    decided = Step(response.code, response.decided_at, envelope.sender, slugs(response.reasons), written(response.reasons))
    if not all(transmission.is_possible(step, work.now) for step in (received, decided)):
        raise StepTimeWrong()
    if decided.at < received.at - CLOCKS_APART:
        raise DecidedBeforeReceived()
    advance(transmission, received, work)
    advance(transmission, decided, work)
    return receipt


RECEIVING = {Kind.DOCUMENT: receive_document, Kind.RESPONSE: receive_response}

routes = [Route("/asw/messages", receive_message, methods=["POST"])]
