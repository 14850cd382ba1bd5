"""Recovery: announces certificates again for other services, and restores what an older backup lacks from events and keys."""

from collections.abc import Sequence
from uuid import UUID

from services.certificates import store
from services.certificates.domain.certificate import number_of
from services.certificates.store import Document, find_certificate, find_document, keep_document, skip_numbers_up_to
from services.certificates.views import documented, issued, submitted
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.reannounces("certificate", store.handed_in)
async def announce_certificate(certificate_id: UUID, work: Work) -> None:
    """Announces the submission again and, for an issued certificate, its document as it was sent."""
    certificate = await find_certificate(work, certificate_id)
    if certificate and certificate.submitted_on:
        work.announce(submitted(certificate, work))
    if document := await find_document(work, certificate_id):
        work.announce(issued(document, work))
        work.announce(documented(document, work))


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


@router.on_lost_keys("numbered")
async def skip_lost_numbers(references: Sequence[str], work: Work) -> None:
    """Other services know these numbers. They are not given again."""
    for reference in references:
        await skip_numbers_up_to(work, reference)
