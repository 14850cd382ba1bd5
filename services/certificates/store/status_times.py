"""How long certificates were in each status. Rows are only added, so certificates of an office do not wait for each other."""

from uuid import UUID

from sqlalchemy import select

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.life_cycle import Status
from services.certificates.domain.status_time import StatusTime, medians
from services.certificates.store.tables import certificate_acts, status_times
from shared.contracts.certificates.content import CertificateActKind
from shared.handling.work import Work

MOST = 1_000
"""Certificates of which a median is calculated."""
BEGINS = {
    CertificateActKind.DRAFT: Status.DRAFT,
    CertificateActKind.SUBMIT: Status.SUBMITTED,
    CertificateActKind.RETURN: Status.RETURNED,
    CertificateActKind.REVIEW: Status.REVIEWED,
    CertificateActKind.APPROVE: Status.APPROVED,
    CertificateActKind.WITHDRAW: Status.WITHDRAWN,
    CertificateActKind.ISSUE: Status.ISSUED,
}
"""The status that an act begins. The others end the certificate."""


async def keep_status_time(work: Work, certificate: Certificate) -> None:
    """Keeps how long a certificate was in the status that ends now."""
    former = await _last_begun(work, certificate.certificate_id)
    if former is None or certificate.status_since is None:
        return
    row = {
        "certificate_id": certificate.certificate_id,
        "version": certificate.version,
        "office": certificate.office,
        "destination": certificate.consignment.destination,
        "status": former,
        "seconds": max(0, int((work.now - certificate.status_since).total_seconds())),
        "ended_at": work.now,
    }
    await work.insert_new(status_times, [row])


async def _last_begun(work: Work, certificate_id: UUID) -> Status | None:
    c = certificate_acts.c
    these = select(c.act).where(c.certificate_id == certificate_id, c.act.in_(list(BEGINS)))
    act = await work.session.scalar(these.order_by(c.version.desc()).limit(1))
    return BEGINS.get(act) if act else None


async def times_of(work: Work, office: str | None) -> list[StatusTime]:
    """The medians of each status, of an office or of all."""
    c, found = status_times.c, []
    for status in BEGINS.values():
        these = select(c.destination, c.seconds).where(c.status == status)
        if office is not None:
            these = these.where(c.office == office)
        rows = await work.session.execute(these.order_by(c.ended_at.desc()).limit(MOST))
        found += medians(status, [(row[0], row[1]) for row in rows])
    return found
