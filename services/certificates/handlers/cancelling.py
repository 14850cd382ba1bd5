"""An issued certificate ends: an officer cancels it, or another certificate replaces it."""

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.reason import cancellation_reason
from services.certificates.handlers.acts import record
from services.certificates.handlers.answers import state_of
from services.certificates.handlers.assigning import certificate_to_decide
from services.certificates.reference_data import ReferenceData
from services.certificates.views import cancelled
from shared.contracts.certificates.cancelling import (
    REPLACED,
    CancelCertificate,
    CancellationReason,
    CancellationReasons,
    ListCancellationReasons,
)
from shared.contracts.certificates.content import CertificateActKind
from shared.contracts.certificates.issuing import CertificateState
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(CancelCertificate)
async def cancel_certificate(command: CancelCertificate, work: Work) -> CertificateState:
    """An officer cancels an issued certificate. The customs of the destination are informed."""
    certificate = await certificate_to_decide(command.certificate_id, command.version, work)
    reason = cancellation_reason(command.reason, work.use(ReferenceData).cancellation_reasons(work.today))

    certificate.cancel(reason.code, work.today)

    announce_cancelled(certificate, work)
    await record(CertificateActKind.CANCEL, certificate, work, by=work.actor, remarks=command.remarks)
    return await state_of(certificate, work)


@router.answers(ListCancellationReasons)
async def list_cancellation_reasons(question: ListCancellationReasons, work: Work) -> CancellationReasons:
    """For which reasons can an issued certificate be cancelled today?"""
    known = work.use(ReferenceData).cancellation_reasons(work.today)
    return CancellationReasons(reasons=[CancellationReason(code=each.code, text=dict(each.text)) for each in known])


async def cancel_replaced(former: Certificate, new: Certificate, work: Work) -> None:
    """The certificate that a new one replaces is cancelled when the new one is issued."""
    former.be_replaced_by(new, REPLACED, work.today)
    announce_cancelled(former, work)
    await record(CertificateActKind.CANCEL, former, work, remarks=REPLACED)


def announce_cancelled(certificate: Certificate, work: Work) -> None:
    """Announces the cancellation of a certificate, with the public reason."""
    assert certificate.cancelled_because is not None
    text = work.use(ReferenceData).cancellation_text(certificate.cancelled_because)
    work.announce(cancelled(certificate, f"Replaced by {certificate.replaced_by}." if certificate.replaced_by else text, work))
