"""Originals of back-to-back certificates: received from a member, or entered by an officer; and what remains of them."""

from services.certificates.domain.original import (
    OriginalCircular,
    OriginalInUse,
    OriginalNotFound,
    OriginalReceivedAlready,
    id_of,
    must_be_distinct,
    must_be_possible,
)
from services.certificates.handlers.issuing import issue_when_settled
from services.certificates.original_views import entered_original, original_state, received_original
from services.certificates.reference_data import ReferenceData
from services.certificates.store import originals as store
from services.certificates.store.certificates import find_certificate
from shared.contracts.certificates.originals import MAX_USES, EnterOriginal, GetOriginal, OriginalState
from shared.contracts.gateway.originals import ReceivedDocumentChanged
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(ReceivedDocumentChanged)
async def record_original_on_received_document_changed(event: ReceivedDocumentChanged, work: Work) -> None:
    """A member's document is an original, or no longer one. Certificates that were held for it are tried again."""
    original = received_original(event)
    await store.keep_original(work, original)
    for certificate_id in await store.waiting_for(work, original.original_id):
        if certificate := await find_certificate(work, certificate_id):
            await issue_when_settled(certificate, work)


@router.answers(EnterOriginal)
async def enter_original(command: EnterOriginal, work: Work) -> OriginalState:
    """An officer enters a paper original, or corrects one that no certificate uses."""
    must_be_foreign(command.country, work)
    must_be_possible(command.issued_on, command.valid_until, work.today)
    must_be_distinct(line.number for line in command.lines)
    known = await store.find_original(work, id_of(command.country, command.reference))
    if known is not None and not known.on_paper:
        raise OriginalReceivedAlready("reference")
    if known is not None and any(line.taken for line in known.lines.values()):
        raise OriginalInUse("reference")

    original = entered_original(command, version=known.version + 1 if known else 1)

    await store.keep_original(work, original)
    return original_state(original, for_officer=True)


@router.answers(GetOriginal)
async def get_original(question: GetOriginal, work: Work) -> OriginalState:
    """What remains of this original? A company learns nothing unless it knows the date."""
    original = await store.find_original(work, id_of(question.country, question.reference))
    for_officer = bool(work.actor.roles & question.read_by)
    knows_date = original is not None and question.issued_on == original.issued_on
    if original is None or not (knows_date or (for_officer and question.issued_on is None)):
        raise OriginalNotFound("reference")
    uses = await store.uses_of(work, original.original_id, MAX_USES) if for_officer else []
    return original_state(original, uses, for_officer=for_officer)


def must_be_foreign(country: str, work: Work) -> None:
    """Refuses a country that issues no original for this one. Raises OriginalCircular, OriginalNotFromMember."""
    if country == work.country:
        raise OriginalCircular("country", country=country)
    work.use(ReferenceData).must_have_back_to_back_member(country, work.today)
