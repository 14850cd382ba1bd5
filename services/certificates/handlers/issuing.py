"""Issue: once a certificate is approved and settled, in whichever order, it gets its number and goes out."""

from typing import ClassVar
from uuid import UUID

from services.certificates.catalogue import Catalogue
from services.certificates.domain.certificate import Certificate, DepartureTooLongAgo, Status, reference_of
from services.certificates.domain.exporter import ExporterNotRegistered
from services.certificates.store import (
    certificate_by_id,
    find_certificate,
    find_exporter,
    is_settled,
    keep_document,
    next_serial,
    note_settlement,
)
from services.certificates.views import document_of, documented, issued
from shared.contracts.fees import FeeSettled
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class IssueCertificate(Task):
    """Give an approved and settled certificate its number."""

    kind: ClassVar[str] = "issue_certificate"
    certificate_id: UUID


async def issue_when_settled(certificate: Certificate, work: Work) -> None:
    """Leaves the issue for later, now that one of its conditions is met, if the other is too."""
    if certificate.status is Status.APPROVED and await is_settled(work, certificate):
        work.later(IssueCertificate(certificate_id=certificate.certificate_id), key=certificate.certificate_id)


@router.on(FeeSettled)
async def note_settlement_on_fee_settled(event: FeeSettled, work: Work) -> None:
    """Nothing is owed any more: if the certificate is approved, it is issued."""
    await note_settlement(work, event.certificate_id, event.submission)
    if certificate := await find_certificate(work, event.certificate_id):
        await issue_when_settled(certificate, work)


@router.due(IssueCertificate)
async def issue_certificate(task: IssueCertificate, work: Work) -> None:
    """The certificate gets its number, the public hears of it, and its document goes to the destination."""
    certificate = await certificate_by_id(work, task.certificate_id)
    exporter = await find_exporter(work, certificate.exporter_id)
    if certificate.status is not Status.APPROVED:
        return
    today = work.today
    try:
        certificate.must_be_issuable(today, exporter)
    except (ExporterNotRegistered, DepartureTooLongAgo) as refusal:
        certificate.hold(refusal.code)
        return
    assert exporter is not None

    serial = await next_serial(work, certificate.office, certificate.form, today.year)
    reference = reference_of(certificate.form, today.year, certificate.office, serial)
    certificate.issue(reference, today)

    form = work.use(Catalogue).form(certificate.form, today)
    document = document_of(certificate, exporter, form, work.country)
    await keep_document(work, document)
    work.announce(issued(document, work))
    work.announce(documented(document, work))
