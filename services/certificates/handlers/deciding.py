"""Decisions of officers: return, review, approve, reject. A decision ends the assignment of a certificate."""

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.reason import must_be_reasons
from services.certificates.handlers.acts import record
from services.certificates.handlers.answers import state_of
from services.certificates.handlers.assigning import certificate_to_decide
from services.certificates.handlers.issuing import issue_when_settled
from services.certificates.mappers import remark_of
from services.certificates.reference_data import ReferenceData
from services.certificates.store.assignments import end_assignment
from shared.contracts.certificates.content import CertificateActKind
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
    certificate = await certificate_to_decide(command.certificate_id, command.version, work)

    certificate.return_for_correction(command.remarks, [remark_of(each) for each in command.boxes])

    await decided(CertificateActKind.RETURN, certificate, work, remarks=command.remarks)
    return await state_of(certificate, work)


@router.answers(ReviewCertificate)
async def review_certificate(command: ReviewCertificate, work: Work) -> CertificateState:
    """An officer finds the application complete and the goods originating."""
    certificate = await certificate_to_decide(command.certificate_id, command.version, work)

    certificate.review(work.actor.must_have_id(), command.worksheet)

    await decided(CertificateActKind.REVIEW, certificate, work)
    return await state_of(certificate, work)


@router.answers(ApproveCertificate)
async def approve_certificate(command: ApproveCertificate, work: Work) -> CertificateState:
    """A second officer approves the certificate. It is issued as soon as it is paid."""
    certificate = await certificate_to_decide(command.certificate_id, command.version, work)

    certificate.approve(work.actor.must_have_id())

    await decided(CertificateActKind.APPROVE, certificate, work)
    await issue_when_settled(certificate, work)
    return await state_of(certificate, work)


@router.answers(RejectCertificate)
async def reject_certificate(command: RejectCertificate, work: Work) -> CertificateState:
    """An officer rejects the certificate for a reason."""
    certificate = await certificate_to_decide(command.certificate_id, command.version, work)
    must_be_reasons(command.codes, work.use(ReferenceData).rejection_reasons(work.today))

    certificate.reject(command.reason, command.codes)

    await decided(CertificateActKind.REJECT, certificate, work, remarks=command.reason)
    return await state_of(certificate, work)


async def decided(kind: CertificateActKind, certificate: Certificate, work: Work, *, remarks: str | None = None) -> None:
    """Ends the assignment of the certificate and records the decision."""
    await record(kind, certificate, work, by=work.actor, remarks=remarks)
    await end_assignment(work, certificate.certificate_id)
