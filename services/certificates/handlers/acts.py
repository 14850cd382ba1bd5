"""Records every act on a certificate: its history, and the status that others may know."""

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.life_cycle import Status
from services.certificates.handlers.back_to_back import release_originals
from services.certificates.store.certificates import keep_act
from services.certificates.store.status_times import keep_status_time
from services.certificates.views import closed, status_changed
from shared.contracts.certificates.content import CertificateAct, CertificateActKind
from shared.handling.actor import Actor
from shared.handling.work import Work

KEEPS_STATUS = frozenset({CertificateActKind.REVISE, CertificateActKind.HOLD})
CLOSING = frozenset({Status.WITHDRAWN, Status.REJECTED, Status.DISCARDED})
"""The statuses in which no payment is accepted for a submission."""


async def record(
    kind: CertificateActKind, certificate: Certificate, work: Work, *, by: Actor | None = None, remarks: str | None = None
) -> None:
    """Keeps an act in the history of a certificate. If it has changed the status, others learn the new one."""
    if kind not in KEEPS_STATUS:
        await keep_status_time(work, certificate)
        certificate.status_since = work.now
    act = CertificateAct(
        version=certificate.version,
        act=kind,
        at=work.now,
        user_id=by.user_id if by else None,
        organisation=str(by.agent_id or by.organisation) if by else None,
        remarks=remarks,
    )
    await keep_act(work, certificate.certificate_id, act)
    if kind not in KEEPS_STATUS | {CertificateActKind.DRAFT}:
        await release_originals(certificate, work)
        work.announce(status_changed(certificate, work))
        announce_if_closed(certificate, work)


def announce_if_closed(certificate: Certificate, work: Work) -> None:
    """Announces that no payment is accepted for the present submission, if this is so."""
    if certificate.submission and certificate.status in CLOSING:
        work.announce(closed(certificate, work))
