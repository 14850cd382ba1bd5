"""Decisions of officers: return, review, approve, reject."""

from services.certificates.domain.certificate import Certificate, OtherOffice
from services.certificates.handlers.answers import state_of
from services.certificates.handlers.issuing import issue_when_settled
from services.certificates.reference_data import ReferenceData
from services.certificates.store import certificate_by_id
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
    """An officer returns the certificate for correction."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)

    certificate.must_be_as_seen(command.version)
    certificate.return_for_correction(command.remarks)

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
    """A second officer approves the certificate. It is issued as soon as it is paid."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)

    certificate.must_be_as_seen(command.version)
    certificate.approve(work.actor.must_have_id())

    await issue_when_settled(certificate, work)
    return await state_of(certificate, work)


@router.answers(RejectCertificate)
async def reject_certificate(command: RejectCertificate, work: Work) -> CertificateState:
    """An officer rejects the certificate for a reason."""
    certificate = await certificate_by_id(work, command.certificate_id)
    must_be_of_their_office(certificate, work)

    certificate.must_be_as_seen(command.version)
    certificate.reject(command.reason)

    return await state_of(certificate, work)


def must_be_of_their_office(certificate: Certificate, work: Work) -> None:
    """Refuses officers of other offices. Officers of the headquarters act for all offices (ours)."""
    if work.actor.organisation != certificate.office and not work.use(ReferenceData).is_headquarters(work.actor.organisation):
        raise OtherOffice(office=certificate.office)
