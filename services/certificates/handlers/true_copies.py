"""Certified true copies: the exporter asks for one, an officer grants it, and a task makes its sealed PDF."""

from typing import ClassVar
from uuid import UUID

from services.certificates.documents.keys import Sealing
from services.certificates.domain.true_copy import (
    TrueCopy,
    TrueCopyRequestedAlready,
    TrueCopyStatus,
    must_be_copyable,
)
from services.certificates.handlers.agents import certificate_of_actor
from services.certificates.handlers.assigning import must_be_of_their_office
from services.certificates.handlers.reading import certificate_to_read
from services.certificates.handlers.sealing import issued_document, print_sealed, sealed_of
from services.certificates.reference_data import ReferenceData
from services.certificates.store.certificates import certificate_by_id
from services.certificates.store.documents import references_of
from services.certificates.store.true_copies import find_true_copy, open_requests, true_copies_of, true_copy_by_id
from services.certificates.true_copy_views import true_copy_event, true_copy_page, true_copy_view
from shared.contracts.certificates.true_copies import (
    GrantTrueCopy,
    ListTrueCopies,
    ListTrueCopyRequests,
    RefuseTrueCopy,
    RequestTrueCopy,
    TrueCopies,
    TrueCopyRequests,
    TrueCopyState,
)
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class PrintTrueCopy(Task):
    """Makes the PDF of a certified true copy."""

    kind: ClassVar[str] = "print_true_copy"
    request_id: UUID


@router.answers(RequestTrueCopy)
async def request_true_copy(command: RequestTrueCopy, work: Work) -> TrueCopyState:
    """The exporter has lost the original and asks for a certified true copy."""
    certificate = await certificate_of_actor(command.certificate_id, work)
    must_be_copyable(certificate, work.today)
    known = await true_copies_of(work, certificate.certificate_id)
    if any(each.status is TrueCopyStatus.REQUESTED or each.request_id == command.request_id for each in known):
        raise TrueCopyRequestedAlready("certificate_id")

    copy = TrueCopy(
        request_id=command.request_id,
        certificate_id=certificate.certificate_id,
        office=certificate.office,
        reason=command.reason,
        requested_at=work.now,
        requested_by=work.actor.user_id,
    )

    work.session.add(copy)
    return true_copy_view(copy, certificate.reference)


@router.answers(GrantTrueCopy)
async def grant_true_copy(command: GrantTrueCopy, work: Work) -> TrueCopyState:
    """An officer certifies the copy, by the documents of the export."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)
    copy = await true_copy_by_id(work, command.certificate_id, command.request_id)

    copy.grant(certificate, work.actor.must_have_id(), work.today)

    work.later(PrintTrueCopy(request_id=copy.request_id), key=copy.request_id)
    return true_copy_view(copy, certificate.reference)


@router.answers(RefuseTrueCopy)
async def refuse_true_copy(command: RefuseTrueCopy, work: Work) -> TrueCopyState:
    """An officer refuses the copy."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)
    copy = await true_copy_by_id(work, command.certificate_id, command.request_id)

    copy.refuse(work.actor.must_have_id(), work.today, command.reason)

    return true_copy_view(copy, certificate.reference)


@router.due(PrintTrueCopy)
async def print_true_copy(task: PrintTrueCopy, work: Work) -> None:
    """The copy gets its PDF: the page of the original with the endorsement, sealed by the office."""
    copy = await find_true_copy(work, task.request_id)
    if copy is None or copy.sha256 or copy.status is not TrueCopyStatus.GRANTED:
        return
    document = await issued_document(copy.certificate_id, work)
    code = (await sealed_of(copy.certificate_id, work)).code
    page = true_copy_page(document, copy, work.use(ReferenceData), work.use(Sealing).check_at)
    made, key_id = await print_sealed(document, page, code, work)

    copy = await true_copy_by_id(work, document.certificate_id, task.request_id)
    copy.sha256, copy.key_id, copy.locked_summary = made.sha256, key_id, made.locked_summary
    if event := true_copy_event(document, copy):
        work.announce(event)


@router.answers(ListTrueCopies)
async def list_true_copies(question: ListTrueCopies, work: Work) -> TrueCopies:
    """Which certified true copies of this certificate were requested?"""
    certificate = await certificate_to_read(question, work)
    found = await true_copies_of(work, certificate.certificate_id)
    return TrueCopies(copies=tuple(true_copy_view(each, certificate.reference) for each in found))


@router.answers(ListTrueCopyRequests)
async def list_true_copy_requests(question: ListTrueCopyRequests, work: Work) -> TrueCopyRequests:
    """Which requests wait for the officer's office?"""
    office = work.actor.organisation
    found = await open_requests(work, None if work.use(ReferenceData).is_headquarters(office) else office)
    references = await references_of(work, {each.certificate_id for each in found})
    return TrueCopyRequests(copies=tuple(true_copy_view(each, references.get(each.certificate_id)) for each in found))
