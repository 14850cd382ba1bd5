"""The officers' part: return, review, approve, reject."""

from services.certificates.catalogue import Catalogue
from services.certificates.domain.certificate import Certificate, OtherOffice
from services.certificates.handlers.issuing import issue_when_settled
from services.certificates.store import certificate_by_id
from services.certificates.views import state_of
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    CertificateState,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ReturnCertificate)
async def return_certificate(command: ReturnCertificate, work: Work) -> CertificateState:
    """An officer gives the certificate back for correction."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)

    certificate.must_be_as_seen(command.version)
    certificate.give_back(command.remarks)

    return await state_of(certificate, work)


@router.answers(ReviewCertificate)
async def review_certificate(command: ReviewCertificate, work: Work) -> CertificateState:
    """An officer finds the application complete and the goods originating."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)

    certificate.must_be_as_seen(command.version)
    certificate.review(work.actor.must_have_id(), command.worksheet)

    return await state_of(certificate, work)


@router.answers(ApproveCertificate)
async def approve_certificate(command: ApproveCertificate, work: Work) -> CertificateState:
    """A second officer agrees; the certificate is issued as soon as it is paid."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)

    certificate.must_be_as_seen(command.version)
    certificate.approve(work.actor.must_have_id())

    await issue_when_settled(certificate, work)
    return await state_of(certificate, work)


@router.answers(RejectCertificate)
async def reject_certificate(command: RejectCertificate, work: Work) -> CertificateState:
    """An officer refuses the certificate, with the reason."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)

    certificate.must_be_as_seen(command.version)
    certificate.reject(command.reason)

    return await state_of(certificate, work)


def must_be_of_their_office(certificate: Certificate, work: Work) -> None:
    """Officers act for their own office, those of the headquarters for all (ours)."""
    if work.actor.organisation != certificate.office and not work.use(Catalogue).is_headquarters(work.actor.organisation):
        raise OtherOffice(f"This certificate belongs to the office {certificate.office}.")
