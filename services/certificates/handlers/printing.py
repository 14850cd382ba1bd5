"""Documents on demand: the preview of a certificate that is not issued, and numbered contingency prints of an issued one."""

from typing import ClassVar
from uuid import UUID

from services.certificates.documents.keys import Sealing
from services.certificates.documents.making import print_only
from services.certificates.domain.certificate import Certificate
from services.certificates.domain.exporter import ExporterNotRegistered
from services.certificates.domain.life_cycle import ALLOWED, Act, Status
from services.certificates.domain.sealing import NothingToPreview, NotIssued
from services.certificates.handlers.agents import must_be_of_exporter
from services.certificates.handlers.assigning import must_be_of_their_office
from services.certificates.handlers.reading import certificate_to_read
from services.certificates.handlers.sealing import PDF, issued_document, print_sealed, sealed_of
from services.certificates.reference_data import ReferenceData
from services.certificates.sealed_views import copy_event, copy_printed, copy_view, page_of
from services.certificates.store.certificates import certificate_by_id
from services.certificates.store.copies import (
    Copy,
    complete_copy,
    copies_of,
    find_copy,
    next_copy_serial,
    register_copy,
    with_copies,
)
from services.certificates.store.costs import findings_on
from services.certificates.store.exporters import find_exporter
from services.certificates.store.products import products_by_ids
from services.certificates.store.sealed import keep_preview
from services.certificates.views import Preview, document_of
from shared.contracts.certificates.sealing import (
    ContingencyCopies,
    ContingencyCopy,
    ListContingencyCopies,
    PreviewCertificate,
    PrintContingencyCopy,
    PrintedDocument,
)
from shared.handling.files import store_file
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()

DRAFT = "DRAFT"
"""The watermark of a preview."""


class PrintCopy(Task):
    """Makes the PDF of a registered contingency print."""

    kind: ClassVar[str] = "print_contingency_copy"
    office: str
    year: int
    serial: int


@router.answers(PreviewCertificate)
async def preview_certificate(command: PreviewCertificate, work: Work) -> PrintedDocument:
    """The exporter or an officer sees the page before the certificate is issued."""
    certificate = await certificate_by_id(work, command.certificate_id)
    await _must_work_on(certificate, work, command.read_by)
    if certificate.reference:
        raise NothingToPreview("certificate_id", certificate=certificate.reference)
    exporter = await find_exporter(work, certificate.exporter_id)
    if exporter is None:
        raise ExporterNotRegistered("exporter_id")
    data, today = work.use(ReferenceData), work.today
    form, consignment = data.form(certificate.form, today), certificate.consignment
    if Act.REVISE in ALLOWED[certificate.status]:
        known = await products_by_ids(work, {item.product_id for item in consignment.items})
        consignment = consignment.found(await findings_on(work, known.values(), certificate.form))
    document = document_of(certificate, exporter, form, work.country, preview=Preview(today, consignment))
    page = page_of(document, data, work.use(Sealing).check_at, watermark=DRAFT)
    pdf = await work.in_process(print_only, page)

    sha256 = await store_file(command.certificate_id, pdf, PDF, work)
    await keep_preview(work, command.certificate_id, sha256)
    return PrintedDocument(certificate_id=command.certificate_id, sha256=sha256, size=len(pdf))


@router.answers(PrintContingencyCopy)
async def print_contingency_copy(command: PrintContingencyCopy, work: Work) -> ContingencyCopy:
    """The exporter or an approver needs a numbered print, because the electronic exchange fails (Annex 8, Rule 7)."""
    certificate = await certificate_by_id(work, command.certificate_id)
    await _must_work_on(certificate, work, command.read_by)
    if certificate.status is not Status.ISSUED:
        raise NotIssued("certificate_id")
    document = await issued_document(certificate.certificate_id, work)
    office, today = document.body.office, work.today

    copy = Copy(
        office=office,
        year=today.year,
        serial=await next_copy_serial(work, office, today.year),
        certificate_id=certificate.certificate_id,
        reason=command.reason,
        printed_on=today,
        printed_at=work.now,
        printed_by=work.actor.user_id,
    )
    await register_copy(work, copy)
    work.announce(copy_printed(document, copy))
    work.later(PrintCopy(office=copy.office, year=copy.year, serial=copy.serial), key=copy.number)
    return copy_view(copy, document)


@router.due(PrintCopy)
async def print_copy(task: PrintCopy, work: Work) -> None:
    """The print gets its PDF: the sealed page with its number in the first line."""
    copy = await find_copy(work, task.office, task.year, task.serial)
    if copy is None or copy.sha256:
        return
    document = await issued_document(copy.certificate_id, work)
    code = (await sealed_of(copy.certificate_id, work)).code
    page = page_of(document, work.use(ReferenceData), work.use(Sealing).check_at, copy=copy)
    made, key_id = await print_sealed(document, page, code, work)

    await complete_copy(work, copy, sha256=made.sha256, key_id=key_id, locked_summary=made.locked_summary)
    completed = await find_copy(work, task.office, task.year, task.serial)
    if completed and (event := copy_event(document, completed)):
        work.announce(event)


@router.reannounces("contingency-copy", with_copies)
async def announce_copies(certificate_id: UUID, work: Work) -> None:
    """Announces the contingency prints of a certificate again."""
    document = await issued_document(certificate_id, work)
    for copy in await copies_of(work, certificate_id):
        work.announce(copy_printed(document, copy))


@router.answers(ListContingencyCopies)
async def list_contingency_copies(question: ListContingencyCopies, work: Work) -> ContingencyCopies:
    """Which contingency prints were made of this certificate?"""
    certificate = await certificate_to_read(question, work)
    copies = await copies_of(work, certificate.certificate_id)
    if not copies:
        return ContingencyCopies(copies=())
    document = await issued_document(certificate.certificate_id, work)
    return ContingencyCopies(copies=tuple(copy_view(copy, document) for copy in copies))


async def _must_work_on(certificate: Certificate, work: Work, officers: frozenset[str]) -> None:
    """Refuses everybody but the exporter, its agent, and the officers of the office."""
    if work.actor.roles & officers:
        must_be_of_their_office(certificate, work)
    else:
        await must_be_of_exporter(certificate, work)
