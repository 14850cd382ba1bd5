"""Said and heard again: certificates for listeners that have lost them, and for itself, come back from an older copy."""

from collections.abc import Sequence
from uuid import UUID

from services.certificates import store
from services.certificates.domain.certificate import number_of
from services.certificates.store import Document, find_certificate, find_document, keep_document, never_again
from services.certificates.views import documented, issued, submitted
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.reannounces("certificate", store.handed_in)
async def announce_certificate(certificate_id: UUID, work: Work) -> None:
    """A certificate was handed in; and where it has its number, this is its document, as it went out."""
    certificate = await find_certificate(work, certificate_id)
    if certificate and certificate.submitted_on:
        work.announce(submitted(certificate, work))
    if document := await find_document(work, certificate_id):
        work.announce(issued(document, work))
        work.announce(documented(document, work))


@router.on_replay(CertificateSubmitted)
async def remember_submission(event: CertificateSubmitted, work: Work) -> None:
    """A certificate that is a draft in the older copy was handed in already."""
    if certificate := await find_certificate(work, event.certificate_id):
        certificate.was_submitted(event.submission)


@router.on_replay(CertificateDocumented)
async def remember_document(event: CertificateDocumented, work: Work) -> None:
    """A certificate was issued: its number is never given again, its document is kept."""
    form_d = event.document
    form, *_ = number_of(form_d.reference)
    await never_again(work, form_d.reference)
    document = Document(event.certificate_id, event.exporter_id, form, form_d, event.version, event.agent_id)
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
async def leave_out_numbers(references: Sequence[str], work: Work) -> None:
    """Numbers that others know were given: they are never given again."""
    for reference in references:
        await never_again(work, reference)
