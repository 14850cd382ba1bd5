"""A certificate that is approved and settled, in either order, gets its number and is announced."""

from typing import ClassVar
from uuid import UUID

from services.certificates.domain.boxes.transport import DepartureTooLongAgo
from services.certificates.domain.certificate import Certificate, NotReplaceable
from services.certificates.domain.exporter import ExporterNotRegistered
from services.certificates.domain.life_cycle import Status
from services.certificates.domain.number import reference_of
from services.certificates.domain.original import OriginalExpired, OriginalNotUsable
from services.certificates.handlers.acts import record
from services.certificates.handlers.back_to_back import valid_originals
from services.certificates.handlers.cancelling import cancel_replaced
from services.certificates.handlers.sealing import SealCertificate
from services.certificates.reference_data import ReferenceData
from services.certificates.store.certificates import certificate_by_id, find_certificate, is_settled, record_settlement
from services.certificates.store.documents import keep_document, next_serial
from services.certificates.store.exporters import find_exporter
from services.certificates.store.originals import make_final
from services.certificates.views import document_of, documented, issued
from shared.contracts.certificates.content import CertificateActKind
from shared.contracts.fees import FeeSettled
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class IssueCertificate(Task):
    """Issues an approved and settled certificate."""

    kind: ClassVar[str] = "issue_certificate"
    certificate_id: UUID


async def issue_when_settled(certificate: Certificate, work: Work) -> None:
    """Schedules the issue if the certificate is approved and settled."""
    if certificate.status is Status.APPROVED and await is_settled(work, certificate):
        work.later(IssueCertificate(certificate_id=certificate.certificate_id), key=certificate.certificate_id)


@router.on(FeeSettled)
async def record_settlement_on_fee_settled(event: FeeSettled, work: Work) -> None:
    """The fee is settled. A certificate that is approved is issued."""
    await record_settlement(work, event.certificate_id, event.submission)
    if certificate := await find_certificate(work, event.certificate_id):
        await issue_when_settled(certificate, work)


@router.due(IssueCertificate)
async def issue_certificate(task: IssueCertificate, work: Work) -> None:
    """The certificate gets its number. Tracking can show it, and its document goes to the destination."""
    certificate = await certificate_by_id(work, task.certificate_id)
    exporter = await find_exporter(work, certificate.exporter_id)
    if certificate.status is not Status.APPROVED:
        return
    former = await certificate_by_id(work, certificate.replaces_id) if certificate.replaces_id else None
    today = work.today
    form = work.use(ReferenceData).form(certificate.form, today)
    try:
        certificate.must_be_issuable(today, exporter, form)
        if former:
            former.must_be_replaceable()
        originals = await valid_originals(certificate, work)
    except (ExporterNotRegistered, DepartureTooLongAgo, NotReplaceable, OriginalNotUsable, OriginalExpired) as refusal:
        certificate.hold(refusal.code)
        await record(CertificateActKind.HOLD, certificate, work, remarks=refusal.code)
        return
    assert exporter is not None

    serial = await next_serial(work, certificate.office, certificate.form, today.year)
    reference = reference_of(certificate.form, today.year, certificate.office, serial)
    certificate.issue(reference, today, form, originals)

    document = document_of(certificate, exporter, form, work.country)
    work.announce(issued(document, work))
    work.announce(documented(document, work))
    await record(CertificateActKind.ISSUE, certificate, work)
    await keep_document(work, document)
    if former:
        await cancel_replaced(former, certificate, work)
    if originals:
        await make_final(work, certificate.certificate_id)
    work.later(SealCertificate(certificate_id=document.certificate_id), key=document.certificate_id)
