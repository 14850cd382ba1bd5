"""Announces received documents to certificates, which use them as originals of back-to-back certificates."""

from uuid import UUID

from services.gateway import store
from services.gateway.cancellations import find_inbound_cancellation
from services.gateway.domain import E_FORM_D, InboundDocument
from shared.contracts.certificates.documents import FormD
from shared.contracts.gateway.originals import FormerOriginal, ReceivedDocumentChanged, ReceivedItem
from shared.contracts.gateway.transmissions import StatusCode
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()
CANCELLED = 500
"""What a cancellation adds to the version of a document."""

MAX_DESCRIPTION, MAX_DESCRIPTIONS = 200, 150_000
"""Bytes of one description, and of all. An event must fit into one message."""


@router.reannounces("received-document", store.accepted_documents)
async def announce_received_document(document_id: UUID, work: Work) -> None:
    """The state of a document in the customs system is announced again."""
    await announce_original(await store.inbound_document_by_id(work, document_id), work)


async def announce_if_received(sender: str, reference: str, work: Work) -> None:
    """Announces the documents that a partner has sent under a reference, if customs have accepted them."""
    for inbound in await store.inbound_documents_of(work, sender, reference):
        await announce_original(inbound, work)


async def announce_original(inbound: InboundDocument, work: Work) -> None:
    """Announces the present state of a certificate that customs have accepted. Other documents are no originals."""
    if inbound.accepted and inbound.kind == E_FORM_D:
        cancelled = await find_inbound_cancellation(work, inbound.sender, inbound.reference) is not None
        work.announce(changed(inbound, work, cancelled=cancelled))


def changed(inbound: InboundDocument, work: Work, *, cancelled: bool) -> ReceivedDocumentChanged:
    """The event of the present state of a document."""
    form = FormD.model_validate_json(inbound.document)
    denied = set(inbound.responses[-1]["denied"]) if inbound.code == StatusCode.UTP else set()
    longest = min(MAX_DESCRIPTION, MAX_DESCRIPTIONS // max(len(form.items), 1))
    return ReceivedDocumentChanged(
        document_id=inbound.document_id,
        country=inbound.sender,
        reference=inbound.reference,
        issued_on=form.issued_on,
        valid_until=form.valid_until,
        consignee=cut(form.consignee.name, MAX_DESCRIPTION),
        usable=inbound.usable and not cancelled,
        items=tuple(
            ReceivedItem(
                number=item.number,
                hs_code=item.hs_code,
                description=cut(item.description, longest),
                quantity=item.quantity,
                unit=item.unit,
                denied=item.number in denied,
            )
            for item in form.items
        ),
        based_on=tuple(FormerOriginal(reference=each.reference, country=each.country) for each in form.originals),
        version=inbound.version_as_original + (CANCELLED if cancelled else 0),
        occurred_at=work.now,
    )


def cut(text: str, longest: int) -> str:
    """The beginning of a text, at most so many bytes."""
    return text.encode()[:longest].decode(errors="ignore")
