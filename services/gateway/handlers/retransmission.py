"""Retransmission: our customs request a document once more, and a partner's customs request one of ours."""

from typing import ClassVar
from uuid import UUID

from services.gateway.domain import PartnerUnknown
from services.gateway.handlers.messages import MessageNotTaken, send_later
from services.gateway.handlers.sending import details_of, receipt_for_document
from services.gateway.store import transmission_by_id
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import Kind, Reason, RetransmissionRequest
from shared.contracts.gateway.received import RequestRetransmission, RetransmissionRequested
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()

NOT_AT_CUSTOMS = Reason(code="document_not_at_customs", detail="The document is not in our customs system.")


class TransmitAgain(Task):
    """Sends a document that was sent before once more, because the partner requests it. No step follows from it."""

    kind: ClassVar[str] = "transmit_again"
    transmission_id: UUID


@router.answers(RequestRetransmission)
async def request_retransmission(command: RequestRetransmission, work: Work) -> RetransmissionRequested:
    """The gateway of the issuing country is requested to send the document once more."""
    if work.use(Exchange).partners.find(command.origin) is None:
        raise PartnerUnknown("origin", country=command.origin)
    reason = NOT_AT_CUSTOMS.model_copy(update={"detail": command.remarks or NOT_AT_CUSTOMS.detail})
    request = RetransmissionRequest(requested_at=work.now, reason=reason)
    about = {"receiver": command.origin, "reference": command.reference}
    message_id = send_later(work, Kind.RETRANSMISSION_REQUEST, request, number=command.number, **about)
    return RetransmissionRequested(message_id=message_id, reference=command.reference, origin=command.origin)


@router.due(TransmitAgain)
async def transmit_again(task: TransmitAgain, work: Work) -> None:
    """The partner receives the document once more. If it has it already, it answers as before."""
    transmission = await transmission_by_id(work, task.transmission_id)
    if transmission.is_cancelled:
        return
    receipt = await receipt_for_document(transmission, work)
    if receipt.reasons:
        raise MessageNotTaken(kind=Kind.DOCUMENT.value, reasons=details_of(receipt.reasons) or "")
