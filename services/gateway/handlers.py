"""What the gateway reacts to on the bus, and what it does later: documents out, decisions of customs back."""

from typing import ClassVar
from uuid import UUID, uuid4

from services.gateway import store
from services.gateway.domain import Step, Transmission
from services.gateway.store import inbound_document_by_id, last_transmission_of, transmission_by_id, what_waits
from services.gateway.wire.customs import Customs
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import MAX_DETAIL, Document, Kind, Reason, Receipt, Response
from shared.contracts import gateway as contracts
from shared.contracts.certificates.documents import CertificateDocumented, FormD
from shared.contracts.gateway import (
    MAX_REASONS,
    MAX_STEP_DETAIL,
    NEXT_CODES,
    GetTransmission,
    StatusCode,
    TransmissionAdvanced,
    TransmissionState,
)
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work
from shared.refusals import Refused, Unavailable

router = Router()


class TransmitDocument(Task):
    """Hands a document to the gateway of its destination, however long that takes."""

    kind: ClassVar[str] = "transmit_document"
    transmission_id: UUID


class DeliverToCustoms(Task):
    """Hands a partner's document to our customs, who decide on it."""

    kind: ClassVar[str] = "deliver_to_customs"
    document_id: UUID


class ReturnResponse(Task):
    """Tells the partner who sent a document what our customs decided."""

    kind: ClassVar[str] = "return_response"
    document_id: UUID


class ResponseNotTaken(Refused):
    code = "response_not_taken"


@router.on(CertificateDocumented)
async def record_transmission_on_certificate_documented(event: CertificateDocumented, work: Work) -> None:
    """The document of an issued certificate is at our gateway, and waits to be sent."""
    if known := await store.find_transmission(work, event.document.reference, number=1):
        known.agent_id = known.agent_id or event.agent_id  # which an older announcement did not say
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
    await take_up(transmission, work)
    advance(transmission, Step(StatusCode.AS1, work.now, work.use(Exchange).country), work)
    work.later(TransmitDocument(transmission_id=transmission.transmission_id), key=transmission.transmission_id)


@router.due(TransmitDocument)
async def transmit_document(task: TransmitDocument, work: Work) -> None:
    """The partner gets the document; its receipt says when it arrived there, or why it is refused."""
    transmission = await transmission_by_id(work, task.transmission_id)
    if transmission.code != StatusCode.AS1:
        return  # the partner's customs answered before its receipt reached us
    exchange = work.use(Exchange)
    receiver, reference, number = transmission.destination, transmission.reference, transmission.number
    envelope = exchange.envelope(transmission.transmission_id, Kind.DOCUMENT, receiver, reference, number, work.now)
    form = FormD.model_validate_json(transmission.document)

    receipt = await work.between_transactions(exchange.send, envelope, Document(form=form))

    transmission = await transmission_by_id(work, task.transmission_id)
    step = step_of(receipt, transmission.destination)
    if not transmission.is_possible(step, work.now):  # nothing of it is believed; the partner is asked again
        raise Unavailable(f"the receipt of {transmission.destination} cannot be believed: its instant is {step.at.isoformat()}")
    advance(transmission, step, work)


@router.due(DeliverToCustoms)
async def deliver_to_customs(task: DeliverToCustoms, work: Work) -> None:
    """Our customs take a partner's document or refuse it, and the partner is to hear of it."""
    inbound = await inbound_document_by_id(work, task.document_id)
    form = FormD.model_validate_json(inbound.document)

    answer = await work.between_transactions(work.use(Customs).decide, form)

    inbound = await inbound_document_by_id(work, task.document_id)
    inbound.decide(work.now, [reason.model_dump() for reason in answer.reasons])
    work.later(ReturnResponse(document_id=inbound.document_id), key=inbound.document_id)


@router.due(ReturnResponse)
async def return_response(task: ReturnResponse, work: Work) -> None:
    """The partner learns what our customs decided."""
    inbound = await inbound_document_by_id(work, task.document_id)
    assert inbound.decided_at is not None
    exchange = work.use(Exchange)
    sender, reference, number = inbound.sender, inbound.reference, inbound.number
    envelope = exchange.envelope(inbound.document_id, Kind.RESPONSE, sender, reference, number, work.now)
    response = Response(
        code=StatusCode.REC if inbound.accepted else StatusCode.NOT,
        decided_at=inbound.decided_at,
        received_at=inbound.received_at,
        reasons=tuple(Reason(code=each["code"], detail=each["detail"][:MAX_DETAIL]) for each in inbound.reasons[:MAX_REASONS]),
    )

    receipt = await work.between_transactions(exchange.send, envelope, response)

    if receipt.reasons:
        raise ResponseNotTaken(reasons=written(receipt.reasons) or "")
    inbound = await inbound_document_by_id(work, task.document_id)
    inbound.returned_at = receipt.received_at


@router.answers(GetTransmission)
async def get_transmission(question: GetTransmission, work: Work) -> TransmissionState:
    """How far has this certificate come on its way to the customs of the destination?"""
    transmission = await last_transmission_of(work, question.certificate_id)
    work.actor.may_read(transmission.exporter_id, "reviewer", "approver", "administrator", "auditor")
    work.actor.must_have_begun(transmission.agent_id)
    attempts, waits_because = await what_waits(work, TransmitDocument, transmission.transmission_id)
    return TransmissionState(
        certificate_id=transmission.certificate_id,
        reference=transmission.reference,
        destination=transmission.destination,
        number=transmission.number,
        steps=tuple(map(shown, transmission.steps)),
        attempts=attempts,
        waits_because=waits_because,
        version=transmission.version,
    )


@router.on_replay(TransmissionAdvanced)
async def take_up_step(event: TransmissionAdvanced, work: Work) -> None:
    """A transmission is as far as was announced; one that is not known comes with its document."""
    if transmission := await store.find_transmission(work, event.reference, event.number):
        await take_up(transmission, work)


@router.reannounces("transmission", store.transmission_ids)
async def announce_steps(transmission_id: UUID, work: Work) -> None:
    """Every code that a transmission has reached."""
    transmission = await transmission_by_id(work, transmission_id)
    for step in transmission.steps:
        work.announce(advanced(transmission, step))


router.fact("first_sent", store.first_sent)
router.fact("numbered", store.references)
router.fact("transmitted", store.certificates_at(StatusCode.AS1))
router.fact("received", store.certificates_at(StatusCode.REC))
router.fact("rejected", store.certificates_at(StatusCode.NOT))
router.fact("decided_by_customs", store.decided_documents)


async def take_up(transmission: Transmission, work: Work) -> None:
    """Takes the steps that this gateway has announced of a transmission, which it has forgotten in an older copy."""
    for said in await work.announced_before(TransmissionAdvanced, transmission.certificate_id):
        if said.number == transmission.number and said.version == transmission.version + 1:
            transmission.reach(Step(said.code, said.occurred_at, said.country, list(said.reasons)), NEXT_CODES)


def advance(transmission: Transmission, step: Step, work: Work) -> None:
    """Takes a step and tells the public of it, unless it is no news."""
    if transmission.reach(step, NEXT_CODES):
        work.announce(advanced(transmission, step))


def advanced(transmission: Transmission, step: Step) -> TransmissionAdvanced:
    """What the public may know of a step."""
    return TransmissionAdvanced(
        certificate_id=transmission.certificate_id,
        reference=transmission.reference,
        destination=transmission.destination,
        number=transmission.number,
        code=StatusCode(step.code),
        country=step.country,
        reasons=tuple(step.reasons[:MAX_REASONS]),
        version=step.position,
        occurred_at=step.at,
    )


def shown(step: Step) -> contracts.Step:
    """A step as its exporter sees it; of what was kept before there were bounds, as much as an answer can hold."""
    return contracts.Step(
        code=StatusCode(step.code),
        at=step.at,
        country=step.country,
        reasons=tuple(step.reasons[:MAX_REASONS]),
        detail=step.detail and step.detail[:MAX_STEP_DETAIL],
    )


def step_of(receipt: Receipt, country: str) -> Step:
    """The step that a partner's receipt is: the document is at its gateway, or was refused there."""
    code = StatusCode.NOT if receipt.reasons else StatusCode.AS2
    return Step(code, receipt.received_at, country, slugs(receipt.reasons), written(receipt.reasons))


def slugs(reasons: tuple[Reason, ...]) -> list[str]:
    """The reasons as the public may see them, each once."""
    return list(dict.fromkeys(reason.code for reason in reasons))


def written(reasons: tuple[Reason, ...]) -> str | None:
    """The reasons as the other side wrote them, for the exporter."""
    return "; ".join(reason.detail for reason in reasons) or None
