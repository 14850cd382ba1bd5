"""The exporter discards a certificate, or withdraws one that is not approved yet."""

from services.certificates.handlers.acts import record
from services.certificates.handlers.agents import certificate_of_actor
from services.certificates.handlers.answers import state_of
from services.certificates.reference_data import ReferenceData
from services.certificates.store.assignments import end_assignment
from shared.contracts.certificates.content import CertificateActKind
from shared.contracts.certificates.issuing import CertificateState
from shared.contracts.certificates.withdrawing import (
    DiscardCertificate,
    ListRejectionReasons,
    RejectionReason,
    RejectionReasons,
    WithdrawCertificate,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(DiscardCertificate)
async def discard_certificate(command: DiscardCertificate, work: Work) -> CertificateState:
    """The exporter discards a draft, or a certificate that was returned or withdrawn."""
    certificate = await certificate_of_actor(command.certificate_id, work)

    certificate.discard()

    await record(CertificateActKind.DISCARD, certificate, work, by=work.actor)
    return await state_of(certificate, work)


@router.answers(WithdrawCertificate)
async def withdraw_certificate(command: WithdrawCertificate, work: Work) -> CertificateState:
    """The exporter withdraws a submitted certificate that nobody has approved."""
    certificate = await certificate_of_actor(command.certificate_id, work)

    certificate.withdraw()

    await end_assignment(work, certificate.certificate_id)
    await record(CertificateActKind.WITHDRAW, certificate, work, by=work.actor)
    return await state_of(certificate, work)


@router.answers(ListRejectionReasons)
async def list_rejection_reasons(question: ListRejectionReasons, work: Work) -> RejectionReasons:
    """For which reasons can a certificate be rejected today?"""
    known = work.use(ReferenceData).rejection_reasons(work.today)
    return RejectionReasons(reasons=[RejectionReason(code=each.code, text=dict(each.text)) for each in known])
