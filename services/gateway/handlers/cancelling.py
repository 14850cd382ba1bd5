"""Cancellations: the destination learns that our certificate is not valid, and our customs learn it of those of partners."""

from typing import ClassVar
from uuid import UUID

from services.gateway.cancellations import (
    find_cancellation,
    find_inbound_cancellation,
    keep_cancellation,
    record_customs_informed,
)
from services.gateway.domain import Step, Transmission
from services.gateway.handlers.messages import send_later
from services.gateway.handlers.sending import advance
from services.gateway.store import find_transmissions
from services.gateway.wire.customs import CancelledCertificate, Customs
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import Cancellation, Kind, Reason
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.contracts.gateway.transmissions import NEXT_CODES, StatusCode
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work
from shared.refusals import Unavailable

router = Router()


class CancelTransmission(Task):
    """Cancels the transmission of a certificate. It waits for the document, whose event may arrive later."""

    kind: ClassVar[str] = "cancel_transmission"
    certificate_id: UUID


class InformCustoms(Task):
    """Informs our customs that a partner has cancelled a certificate."""

    kind: ClassVar[str] = "inform_customs"
    sender: str
    reference: str


@router.on(CertificateCancelled)
async def cancel_transmission_on_certificate_cancelled(event: CertificateCancelled, work: Work) -> None:
    """The certificate is not sent any more. Its destination learns that it is cancelled."""
    if await keep_cancellation(work, event):
        work.later(CancelTransmission(certificate_id=event.certificate_id), key=event.certificate_id)


@router.due(CancelTransmission)
async def cancel_transmission(task: CancelTransmission, work: Work) -> None:
    """The transmission ends with CAN. A rejected document (NOT) is not valid at the destination anyway."""
    every, cancelled = await find_transmissions(work, task.certificate_id), await find_cancellation(work, task.certificate_id)
    if not every:
        raise Unavailable("the document of the cancelled certificate has not arrived yet")
    transmission = every[-1]
    if cancelled is None or StatusCode.CAN not in NEXT_CODES[code_of(transmission)]:
        return
    own = Step(StatusCode.CAN, cancelled.at, work.use(Exchange).country, [cancelled.reason], cancelled.detail)
    advance(transmission, own, work)
    # also if it seems not sent: an attempt may be under way, or its receipt may be lost
    content = Cancellation(cancelled_at=cancelled.at, reason=Reason(code=cancelled.reason, detail=cancelled.detail))
    about = {"receiver": transmission.destination, "reference": transmission.reference}
    send_later(work, Kind.CANCELLATION, content, number=transmission.number, **about)


@router.due(InformCustoms)
async def inform_customs(task: InformCustoms, work: Work) -> None:
    """Our customs learn that a certificate in their system is not valid any more."""
    known = await find_inbound_cancellation(work, task.sender, task.reference)
    assert known is not None
    cancelled = CancelledCertificate(
        origin=known.sender,
        reference=known.reference,
        cancelled_at=known.cancelled_at,
        reason=known.reason,
        replaced_by=known.replaced_by,
    )
    await work.between_transactions(work.use(Customs).cancel, cancelled)
    await record_customs_informed(work, task.sender, task.reference)


def code_of(transmission: Transmission) -> StatusCode | None:
    """The code that a transmission has reached last."""
    return StatusCode(transmission.code) if transmission.code else None
