"""The handlers of decisions on the preference, which the customs of this country take on documents from partners."""

from collections.abc import Collection
from typing import Any

from services.gateway import listing
from services.gateway.cancellations import DocumentIsCancelled, find_inbound_cancellation
from services.gateway.denials import DenialReasons as KnownReasons
from services.gateway.domain import InboundDocument, ItemUnknown
from services.gateway.handlers.messages import send_later
from services.gateway.handlers.originals import announce_original
from services.gateway.kinds import DocumentKinds
from services.gateway.wire.messages import CustomsResponse, ItemDecision, Kind, Reason
from shared.contracts.certificates.documents import FormD
from shared.contracts.gateway.received import (
    DecideReceivedDocument,
    DenialReason,
    DenialReasons,
    ListDenialReasons,
    ReceivedDocumentState,
)
from shared.contracts.gateway.transmissions import NEXT_CODES, StatusCode
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(DecideReceivedDocument)
async def decide_received_document(command: DecideReceivedDocument, work: Work) -> ReceivedDocumentState:
    """Customs utilise the document, in full or in part, or deny it. The issuing country is informed."""
    inbound = await listing.newest_received(work, command.origin, command.reference)
    work.use(DocumentKinds).of(inbound.kind).must_permit(Kind.CUSTOMS_RESPONSE, "reference")
    if await find_inbound_cancellation(work, inbound.sender, inbound.reference):
        raise DocumentIsCancelled("reference", reference=inbound.reference)
    response = response_of(command, inbound, work)

    inbound.respond(stored(command, response), command.decisions, NEXT_CODES)

    await announce_original(inbound, work)
    send_later(
        work, Kind.CUSTOMS_RESPONSE, response, receiver=inbound.sender, reference=inbound.reference, number=inbound.number
    )
    return ReceivedDocumentState(
        document_id=inbound.document_id,
        reference=inbound.reference,
        origin=inbound.sender,
        code=response.code,
        decisions=len(inbound.responses),
    )


@router.answers(ListDenialReasons)
async def list_denial_reasons(question: ListDenialReasons, work: Work) -> DenialReasons:
    """Customs, and the officers who read their questions, see the reasons."""
    known = work.use(KnownReasons).on(work.today)
    return DenialReasons(reasons=tuple(DenialReason(code=code, text=dict(text)) for code, text in known.items()))


def response_of(command: DecideReceivedDocument, inbound: InboundDocument, work: Work) -> CustomsResponse:
    """The message to the issuing country. Raises ItemUnknown, DenialReasonUnknown."""
    items = [item.number for item in FormD.model_validate_json(inbound.document).items]
    for position, item in enumerate(command.denied):
        if item not in items:
            raise ItemUnknown(f"denied.{position}", item=item, items=len(items))
    if command.reason is None:
        return CustomsResponse(code=StatusCode.UTL, decided_at=work.now, declaration=command.declaration)
    text = work.use(KnownReasons).text_of(command.reason, work.today)
    reason = Reason(code=command.reason, detail=command.remarks or text)
    denied = set(command.denied) or set(items)
    if denied == set(items):
        return CustomsResponse(code=StatusCode.DEN, decided_at=work.now, declaration=command.declaration, reasons=(reason,))
    return CustomsResponse(
        code=StatusCode.UTP,
        decided_at=work.now,
        declaration=command.declaration,
        reasons=(reason,),
        items=decisions_on(items, denied, reason),
    )


def decisions_on(items: Collection[int], denied: Collection[int], reason: Reason) -> tuple[ItemDecision, ...]:
    """The decision on each item."""
    return tuple(
        ItemDecision(item=item, code=StatusCode.DEN, reasons=(reason,))
        if item in denied
        else ItemDecision(item=item, code=StatusCode.UTL)
        for item in items
    )


def stored(command: DecideReceivedDocument, response: CustomsResponse) -> dict[str, Any]:
    """A decision as the database and the portal have it."""
    return {
        "code": response.code.value,
        "decided_at": response.decided_at.isoformat(),
        "declaration": command.declaration,
        "reason": command.reason,
        "remarks": command.remarks,
        "denied": sorted(set(command.denied)) if response.code is StatusCode.UTP else [],
    }
