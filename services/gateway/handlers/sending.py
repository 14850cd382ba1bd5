"""The handlers that send documents to partners and return the decisions of our customs."""

from typing import Any, ClassVar
from uuid import UUID, uuid4

from services.gateway import store
from services.gateway.cancellations import find_inbound_cancellation
from services.gateway.domain import E_FORM_D, InboundDocument, Step, Transmission
from services.gateway.handlers.observing import receipt_of
from services.gateway.handlers.originals import announce_original
from services.gateway.kinds import DocumentKinds
from services.gateway.store import inbound_document_by_id, transmission_by_id
from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import MAX_DETAIL, Acknowledgement, Document, Kind, Reason, Receipt, Rejection, Replacement
from shared.contracts.certificates.documents import CertificateDocumented, FormD
from shared.contracts.gateway.declarations import DocumentAdvanced
from shared.contracts.gateway.transmissions import (
    MAX_REASONS,
    NEXT_CODES,
    StatusCode,
    TransmissionAdvanced,
)
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work
from shared.refusals import Refused, Unavailable

router = Router()


class TransmitDocument(Task):
    """Sends a document to the gateway of its destination. It is retried without limit."""

    kind: ClassVar[str] = "transmit_document"
    transmission_id: UUID


class DeliverToCustoms(Task):
    """Sends a partner's document to our customs, who decide on it."""

    kind: ClassVar[str] = "deliver_to_customs"
    document_id: UUID


class ReturnResponse(Task):
    """Sends the decision of our customs to the partner that sent the document."""

    kind: ClassVar[str] = "return_response"
    document_id: UUID


class ResponseNotTaken(Refused):
    code = "response_not_taken"


@router.on(CertificateDocumented)
async def record_transmission_on_certificate_documented(event: CertificateDocumented, work: Work) -> None:
    """The document of an issued certificate is at our gateway and waits to be sent, if it is exchanged at all."""
    if event.channel is None:
        return
    if known := await store.find_transmission(work, event.document.reference, number=1):
        known.agent_id = known.agent_id or event.agent_id  # an older event had no agent
        return
    transmission = Transmission(
        transmission_id=uuid4(),
        certificate_id=event.certificate_id,
        exporter_id=event.exporter_id,
        reference=event.document.reference,
        destination=event.document.destination,
        number=1,
        document=event.document.model_dump_json(),
        agent_id=event.agent_id,
    )
    work.session.add(transmission)
    await restore_steps(transmission, work)
    begin(transmission, work)


def begin(transmission: Transmission, work: Work) -> None:
    """The document is at our gateway (AS1) and waits to be sent."""
    advance(transmission, Step(StatusCode.AS1, work.now, work.use(Exchange).country), work)
    work.later(TransmitDocument(transmission_id=transmission.transmission_id), key=transmission.transmission_id)


@router.due(TransmitDocument)
async def transmit_document(task: TransmitDocument, work: Work) -> None:
    """The partner receives the document. Its receipt has the time of arrival, or the reasons of a rejection."""
    transmission = await transmission_by_id(work, task.transmission_id)
    if transmission.code != StatusCode.AS1 or transmission.held_because is not None:
        return  # the answer of the partner's customs arrived before the receipt, or an officer holds the document

    receipt = await receipt_for_document(transmission, work)

    transmission = await transmission_by_id(work, task.transmission_id)
    if transmission.is_cancelled:
        return  # the partner receives the cancellation next
    step = step_of(receipt, transmission.destination)
    if not transmission.is_possible(step, work.now):  # the receipt is ignored, and the document is sent again
        raise Unavailable(f"the receipt of {transmission.destination} has an impossible time: {step.at.isoformat()}")
    advance(transmission, step, work)


async def receipt_for_document(transmission: Transmission, work: Work) -> Receipt:
    """Sends the document between two transactions, and returns the receipt of the partner. Raises Unavailable."""
    exchange = work.use(Exchange)
    receiver, reference, number = transmission.destination, transmission.reference, transmission.number
    document = work.use(DocumentKinds).read(transmission.kind, transmission.document)
    replaces = document.replaces if isinstance(document, FormD) else None
    content = Replacement(form=document, replaces=replaces) if replaces else Document(form=document)
    kind = Kind.REPLACEMENT if replaces else Kind.DOCUMENT
    envelope = exchange.envelope(transmission.transmission_id, kind, receiver, reference, number, work.now)
    return await receipt_of(await work.between_transactions(exchange.try_to_send, envelope, content), work)


@router.due(DeliverToCustoms)
async def deliver_to_customs(task: DeliverToCustoms, work: Work) -> None:
    """Our customs accept or reject a partner's document. The decision is then returned to the partner."""
    inbound = await inbound_document_by_id(work, task.document_id)
    if await find_inbound_cancellation(work, inbound.sender, inbound.reference):
        return  # the partner has cancelled it
    document = work.use(DocumentKinds).read(inbound.kind, inbound.document)

    answer = await work.between_transactions(work.use(Customs).decide, document)

    inbound = await inbound_document_by_id(work, task.document_id)
    inbound.decide(work.now, [reason.model_dump() for reason in answer.reasons])
    await announce_original(inbound, work)
    work.later(ReturnResponse(document_id=inbound.document_id), key=inbound.document_id)


@router.due(ReturnResponse)
async def return_response(task: ReturnResponse, work: Work) -> None:
    """The partner receives the decision of our customs."""
    inbound = await inbound_document_by_id(work, task.document_id)
    exchange = work.use(Exchange)
    sender, reference, number = inbound.sender, inbound.reference, inbound.number
    answer = answer_to(inbound)
    kind = Kind.ACKNOWLEDGEMENT if inbound.accepted else Kind.REJECTION
    envelope = exchange.envelope(inbound.document_id, kind, sender, reference, number, work.now)

    attempt = await work.between_transactions(exchange.try_to_send, envelope, answer)

    receipt = await receipt_of(attempt, work)
    if receipt.reasons:
        raise ResponseNotTaken(reasons=details_of(receipt.reasons) or "")
    inbound = await inbound_document_by_id(work, task.document_id)
    inbound.returned_at = receipt.received_at


def answer_to(inbound: InboundDocument) -> Acknowledgement | Rejection:
    """The decision of our customs on a partner's document, for the partner."""
    assert inbound.decided_at is not None
    if inbound.accepted:
        return Acknowledgement(received_at=inbound.received_at, available_at=inbound.decided_at)
    reasons = [Reason(code=each["code"], detail=each["detail"][:MAX_DETAIL]) for each in inbound.reasons[:MAX_REASONS]]
    return Rejection(received_at=inbound.received_at, rejected_at=inbound.decided_at, reasons=tuple(reasons))


@router.on_replay(DocumentAdvanced)
async def replay_step_of_document(event: DocumentAdvanced, work: Work) -> None:
    """A transmission of a document that was added to a certificate gets back its announced steps."""
    if transmission := await store.find_transmission(work, event.reference, event.number):
        await restore_steps(transmission, work)


@router.on_replay(TransmissionAdvanced)
async def replay_step(event: TransmissionAdvanced, work: Work) -> None:
    """A transmission gets back its announced steps. An unknown transmission comes later, with its document."""
    if transmission := await store.find_transmission(work, event.reference, event.number):
        await restore_steps(transmission, work)


@router.reannounces("document", store.added_document_ids)
async def announce_steps_of_document(transmission_id: UUID, work: Work) -> None:
    """Every step of a document that was added to a certificate is announced again."""
    await announce_steps(transmission_id, work)


@router.reannounces("transmission", store.transmission_ids)
async def announce_steps(transmission_id: UUID, work: Work) -> None:
    """Every step of a transmission is announced again."""
    transmission = await transmission_by_id(work, transmission_id)
    for step in transmission.steps:
        work.announce(advanced(transmission, step))


async def restore_steps(transmission: Transmission, work: Work) -> None:
    """Adds the steps that this gateway has announced and its restored database has lost."""
    before: list[TransmissionAdvanced] | list[DocumentAdvanced]
    if transmission.kind == E_FORM_D:
        before = await work.announced_before(TransmissionAdvanced, transmission.certificate_id)
    else:
        before = await work.announced_before(DocumentAdvanced, transmission.certificate_id)
    for event in before:
        of_this = (event.reference, event.number) == (transmission.reference, transmission.number)
        if of_this and event.version == transmission.version + 1:
            transmission.reach(Step(event.code, event.occurred_at, event.country, list(event.reasons)), NEXT_CODES)


def advance(transmission: Transmission, step: Step, work: Work) -> None:
    """Adds a step and announces it, unless its code was reached before."""
    if transmission.reach(step, NEXT_CODES):
        work.announce(advanced(transmission, step))


def advanced(transmission: Transmission, step: Step) -> TransmissionAdvanced | DocumentAdvanced:
    """The event of a step, with its public data only. The public reads only about certificates."""
    values: dict[str, Any] = {
        "certificate_id": transmission.certificate_id,
        "reference": transmission.reference,
        "destination": transmission.destination,
        "number": transmission.number,
        "code": StatusCode(step.code),
        "country": step.country,
        "reasons": tuple(step.reasons[:MAX_REASONS]),
        "version": step.position,
        "occurred_at": step.at,
    }
    if transmission.kind == E_FORM_D:
        return TransmissionAdvanced(**values)
    return DocumentAdvanced(**values, kind=transmission.kind)


def step_of(receipt: Receipt, country: str) -> Step:
    """The step of a partner's receipt: the document is at its gateway, or was rejected there."""
    code = StatusCode.NOT if receipt.reasons else StatusCode.AS2
    return Step(code, receipt.received_at, country, codes_of(receipt.reasons), details_of(receipt.reasons))


def codes_of(reasons: tuple[Reason, ...]) -> list[str]:
    """The codes of the reasons, without duplicates, for the public."""
    return list(dict.fromkeys(reason.code for reason in reasons))


def details_of(reasons: tuple[Reason, ...]) -> str | None:
    """The texts of the reasons from the partner or customs, for the exporter."""
    return "; ".join(reason.detail for reason in reasons) or None
