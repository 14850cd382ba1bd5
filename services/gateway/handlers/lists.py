"""The lists of the gateway: transmissions, and the documents that partners sent to the customs of this country."""

from contextlib import suppress
from itertools import zip_longest
from uuid import UUID

from services.gateway import listing
from services.gateway.cancellations import find_inbound_cancellation
from services.gateway.domain import InboundDocument, code_of_customs
from services.gateway.fields import DocumentFields, fields_of
from services.gateway.handlers.sending import TransmitDocument
from services.gateway.kinds import DocumentKinds
from services.gateway.store import messages_about, waiting_tasks
from services.gateway.wire.messages import Kind
from shared.contracts.certificates.documents import FormD
from shared.contracts.gateway.received import (
    CustomsDecision,
    GetReceivedDocument,
    ListReceivedDocuments,
    ReceivedContent,
    ReceivedDocument,
    ReceivedDocuments,
)
from shared.contracts.gateway.transmissions import ListedTransmission, ListTransmissions, StatusCode, Transmissions
from shared.handling.actor import Actor, NotYours
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ListTransmissions)
async def list_transmissions(question: ListTransmissions, work: Work) -> Transmissions:
    """A company lists its own transmissions; an agent, those of certificates that it drafted; officers, all."""
    exporter_id = whose(question, work.actor)
    wanted = listing.Wanted(exporter_id, work.actor.agent_id, question.destination, question.open, question.kind)
    rows, following = await listing.transmissions_page(work, wanted, question.after, question.limit)
    waiting = await waiting_tasks(work, TransmitDocument, [row.transmission_id for row in rows])
    return Transmissions(
        transmissions=tuple(
            ListedTransmission(
                certificate_id=row.certificate_id,
                reference=row.reference,
                destination=row.destination,
                number=row.number,
                code=row.code,
                at=row.at,
                waits_because=waiting.get(row.transmission_id, (0, None))[1],
            )
            for row in rows
        ),
        next=following,
    )


@router.answers(ListReceivedDocuments)
async def list_received_documents(question: ListReceivedDocuments, work: Work) -> ReceivedDocuments:
    """Customs and auditors list the documents that partners have sent."""
    kinds = work.use(DocumentKinds)
    rows, following = await listing.received_page(work, question.origin, question.search, question.after, question.limit)
    return ReceivedDocuments(
        documents=tuple(
            ReceivedDocument(
                reference=row.reference,
                origin=row.sender,
                number=row.number,
                received_at=row.received_at,
                code=StatusCode.CAN if row.cancelled_at else code_as_seen(code_of_customs(row)),
                valid_until=row.valid_until,
                kind=row.kind,
                kind_name=dict(kinds.of(row.kind).rules.names),
            )
            for row in rows
        ),
        next=following,
    )


@router.answers(GetReceivedDocument)
async def get_received_document(question: GetReceivedDocument, work: Work) -> ReceivedContent:
    """Customs and auditors read a document as it was received last, with one page of its items."""
    found = await listing.newest_received(work, question.origin, question.reference)
    kind = work.use(DocumentKinds).of(found.kind)
    document = kind.read(found.document)
    form = document if isinstance(document, FormD) else None
    shown = DocumentFields((), ()) if form else fields_of(document)
    cancelled = await find_inbound_cancellation(work, found.sender, found.reference)
    items, end = len(form.items if form else shown.lines), question.after + question.limit
    return ReceivedContent(
        reference=found.reference,
        origin=found.sender,
        number=found.number,
        received_at=found.received_at,
        code=StatusCode.CAN if cancelled else code_as_seen(found.code),
        document=form and form.model_copy(update={"items": form.items[question.after : end]}),
        items=items,
        next=end if end < items else None,
        decisions=await decisions_on(found, work),
        cancelled_at=cancelled.cancelled_at if cancelled else None,
        cancelled_because=cancelled.detail if cancelled else None,
        replaced_by=cancelled.replaced_by if cancelled else None,
        kind=found.kind,
        kind_name=dict(kind.rules.names),
        fields=tuple(shown.fields),
        lines=tuple(tuple(line) for line in shown.lines[question.after : end]),
        can_be_decided=kind.rules.can_be_decided,
        can_be_verified=kind.rules.can_be_verified,
    )


async def decisions_on(found: InboundDocument, work: Work) -> tuple[CustomsDecision, ...]:
    """The decisions of customs on the preference, and when the issuing country received each."""
    if not found.responses:
        return ()
    sent = await messages_about(work, found.sender, found.reference, Kind.CUSTOMS_RESPONSE)
    times = [each.answered_at for each in sent if each.number == found.number]
    return tuple(
        CustomsDecision(**response, sent_at=sent_at)
        for response, sent_at in zip_longest(found.responses, times[: len(found.responses)])
    )


def whose(question: ListTransmissions, actor: Actor) -> UUID | None:
    """The exporter whose transmissions are listed; None for those of all. Raises NotYours."""
    if question.exporter_id is None and actor.roles.intersection(question.read_by):
        return None
    exporter_id = question.exporter_id
    if exporter_id is None:
        with suppress(ValueError):  # an office has a code, not an id
            exporter_id = UUID(actor.organisation)
    if exporter_id is None:
        raise NotYours()
    actor.may_read(exporter_id, *question.read_by)
    return exporter_id


def code_as_seen(code: str | None) -> StatusCode | None:
    """A code as the contracts have it."""
    return None if code is None else StatusCode(code)
