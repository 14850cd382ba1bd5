"""Recovery: announces certificates again for other services, and restores what an older backup lacks from events and keys."""

from collections.abc import Sequence
from uuid import UUID

from services.certificates.domain.life_cycle import Status
from services.certificates.domain.number import number_of
from services.certificates.handlers.acts import announce_if_closed
from services.certificates.handlers.back_to_back import release_originals, restore_uses
from services.certificates.handlers.cancelling import announce_cancelled
from services.certificates.sealed_views import copy_event, sealed_event
from services.certificates.store.certificates import find_certificate, handed_in, no_drafts
from services.certificates.store.copies import copies_of, skip_copies_up_to
from services.certificates.store.documents import Document, find_document, keep_document, skip_numbers_up_to
from services.certificates.store.messages import find_last_message, with_messages
from services.certificates.store.sealed import find_sealed
from services.certificates.store.true_copies import true_copies_of
from services.certificates.true_copy_views import true_copy_event
from services.certificates.views import documented, issued, message_sent, status_changed, submitted
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.contracts.certificates.sealing import CertificateSealed, ContingencyCopyPrinted
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.reannounces("certificate", handed_in)
async def announce_certificate(certificate_id: UUID, work: Work) -> None:
    """Announces the submission again, its end if it was closed, and the document of an issued certificate as it was sent."""
    certificate = await find_certificate(work, certificate_id)
    if certificate and certificate.submitted_on:
        work.announce(submitted(certificate, work))
        announce_if_closed(certificate, work)
    if document := await find_document(work, certificate_id):
        work.announce(issued(document, work))
        work.announce(documented(document, work))
        if sealed := await find_sealed(work, certificate_id):
            work.announce(sealed_event(document, sealed))
        granted = [true_copy_event(document, copy) for copy in await true_copies_of(work, certificate_id)]
        for event in (*(copy_event(document, copy) for copy in await copies_of(work, certificate_id)), *granted):
            if event:
                work.announce(event)
    if certificate and certificate.status is Status.CANCELLED:
        announce_cancelled(certificate, work)


@router.reannounces("certificate-status", no_drafts)
async def announce_status(certificate_id: UUID, work: Work) -> None:
    """Announces the present status again."""
    if certificate := await find_certificate(work, certificate_id):
        work.announce(status_changed(certificate, work))


@router.reannounces("certificate-message", with_messages)
async def announce_last_message(certificate_id: UUID, work: Work) -> None:
    """Announces again who wrote the last message."""
    certificate, message = await find_certificate(work, certificate_id), await find_last_message(work, certificate_id)
    if certificate and message:
        work.announce(message_sent(message, certificate))


@router.on_replay(CertificateSubmitted)
async def remember_submission(event: CertificateSubmitted, work: Work) -> None:
    """The certificate was submitted after the backup."""
    if certificate := await find_certificate(work, event.certificate_id):
        certificate.was_submitted(event.submission)


@router.on_replay(CertificateDocumented)
async def remember_document(event: CertificateDocumented, work: Work) -> None:
    """The certificate was issued after the backup. Its number is not given again, and its document is kept."""
    form_d = event.document
    form, *_ = number_of(form_d.reference)
    await skip_numbers_up_to(work, form_d.reference)
    document = Document(
        certificate_id=event.certificate_id,
        exporter_id=event.exporter_id,
        form=form,
        body=form_d,
        version=event.version,
        agent_id=event.agent_id,
        channel=event.channel,
    )
    await keep_document(work, document)
    if certificate := await find_certificate(work, event.certificate_id):
        certificate.was_issued(
            form_d.reference,
            form_d.issued_on,
            form_d.valid_until,
            event.version,
            retroactively=form_d.issued_retroactively,
        )
        certificate.status_since = event.occurred_at
        await restore_uses(certificate, work)


@router.on_replay(CertificateCancelled)
async def remember_cancellation(event: CertificateCancelled, work: Work) -> None:
    """The certificate was cancelled after the backup."""
    if certificate := await find_certificate(work, event.certificate_id):
        day = event.occurred_at.astimezone(work.zone).date()
        certificate.was_cancelled(
            event.reason, day, event.version, replaced_by_id=event.replaced_by_id, replaced_by=event.replaced_by
        )
        certificate.status_since = event.occurred_at
        await release_originals(certificate, work)


@router.on_replay(ContingencyCopyPrinted)
async def remember_print(event: ContingencyCopyPrinted, work: Work) -> None:
    """A contingency print was registered after the backup. Its number is not given again."""
    await skip_copies_up_to(work, event.number)


@router.on_replay(CertificateSealed)
async def remember_seal(event: CertificateSealed, work: Work) -> None:
    """A document was sealed after the backup. It is sealed again; the number of a contingency print is not given again."""
    if event.contingency_number:
        await skip_copies_up_to(work, event.contingency_number)


@router.on_lost_keys("numbered")
async def skip_lost_numbers(references: Sequence[str], work: Work) -> None:
    """Other services know these numbers. They are not given again."""
    for reference in references:
        await skip_numbers_up_to(work, reference)
