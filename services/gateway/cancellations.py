"""Cancelled certificates: our own, and those of partners. A cancellation may arrive before its document, and is kept for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Row, String, Table, Uuid, select

from services.gateway.metadata import TABLES
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.database.column_types import UtcDateTime
from shared.handling.work import Work
from shared.refusals import Refused

cancellations = Table(
    "cancellations",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("cancelled_at", UtcDateTime, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("detail", String(500), nullable=False),
)
"""Our certificates that were cancelled after their issue."""

inbound_cancellations = Table(
    "inbound_cancellations",
    TABLES,
    Column("sender", String(2), primary_key=True),
    Column("reference", String(30), primary_key=True),
    Column("cancelled_at", UtcDateTime, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("detail", String(500), nullable=False),
    Column("replaced_by", String(30)),
    Column("customs_informed_at", UtcDateTime),
)
"""Certificates of partners that their issuing authority has cancelled, whether their document is here or not."""


class CertificateIsCancelled(Refused):
    code = "certificate_is_cancelled"


class DocumentIsCancelled(Refused):
    code = "received_document_cancelled"


@dataclass(frozen=True)
class Cancelled:
    """When a certificate was cancelled, and the reason: its code and its text in English."""

    at: datetime
    reason: str
    detail: str


async def keep_cancellation(work: Work, event: CertificateCancelled) -> bool:
    """Keeps that one of our certificates was cancelled. Returns whether that is new."""
    row = {"cancelled_at": event.occurred_at, "reason": event.reason, "detail": event.detail}
    return bool(await work.insert_new(cancellations, [{"certificate_id": event.certificate_id, **row}]))


async def find_cancellation(work: Work, certificate_id: UUID) -> Cancelled | None:
    """The cancellation of one of our certificates, or None."""
    c = cancellations.c
    wanted = select(c.cancelled_at, c.reason, c.detail).where(c.certificate_id == certificate_id)
    row = (await work.session.execute(wanted)).first()
    return Cancelled(*row) if row else None


async def must_not_be_cancelled(work: Work, certificate_id: UUID) -> None:
    """Refuses to send a document of a cancelled certificate. Raises CertificateIsCancelled."""
    if await find_cancellation(work, certificate_id):
        raise CertificateIsCancelled("certificate_id")


async def keep_inbound_cancellation(
    work: Work, sender: str, reference: str, cancelled: Cancelled, replaced_by: str | None = None
) -> bool:
    """Keeps that a partner has cancelled a certificate, or replaced it. Returns whether that is new."""
    row = {"sender": sender, "reference": reference, "cancelled_at": cancelled.at, "reason": cancelled.reason}
    is_new = await work.insert_new(inbound_cancellations, [row | {"detail": cancelled.detail, "replaced_by": replaced_by}])
    if not is_new and replaced_by:
        known = _of(sender, reference)
        await work.session.execute(inbound_cancellations.update().where(*known).values(replaced_by=replaced_by))
    return bool(is_new)


async def find_inbound_cancellation(work: Work, sender: str, reference: str) -> Row[Any] | None:
    """The cancellation of a partner's certificate, or None."""
    return (await work.session.execute(select(inbound_cancellations).where(*_of(sender, reference)))).first()


async def record_customs_informed(work: Work, sender: str, reference: str) -> None:
    """Records that our customs know of the cancellation."""
    known = _of(sender, reference)
    await work.session.execute(inbound_cancellations.update().where(*known).values(customs_informed_at=work.now))


def _of(sender: str, reference: str) -> tuple[Any, ...]:
    c = inbound_cancellations.c
    return c.sender == sender, c.reference == reference
