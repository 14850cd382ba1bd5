"""Queries for certified true copies."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from services.certificates.domain.true_copy import TrueCopy, TrueCopyNotFound, TrueCopyStatus
from services.certificates.store.tables import true_copies
from shared.handling.work import Work

MOST = 100


async def true_copy_by_id(work: Work, certificate_id: UUID, request_id: UUID) -> TrueCopy:
    """A certified true copy of a certificate. Raises TrueCopyNotFound."""
    found = await find_true_copy(work, request_id)
    if found is None or found.certificate_id != certificate_id:
        raise TrueCopyNotFound("request_id")
    return found


async def find_true_copy(work: Work, request_id: UUID) -> TrueCopy | None:
    """A certified true copy, or None."""
    return await work.session.get(TrueCopy, request_id, with_for_update=work.may_write)


async def true_copies_of(work: Work, certificate_id: UUID) -> Sequence[TrueCopy]:
    """The certified true copies of a certificate, latest first; at most 100."""
    these = select(TrueCopy).where(true_copies.c.certificate_id == certificate_id)
    return (await work.session.scalars(these.order_by(true_copies.c.requested_at.desc()).limit(MOST))).all()


async def open_requests(work: Work, office: str | None) -> Sequence[TrueCopy]:
    """The requests that wait for an office, oldest first; of all offices without one. At most 100."""
    these = select(TrueCopy).where(true_copies.c.status == TrueCopyStatus.REQUESTED)
    if office is not None:
        these = these.where(true_copies.c.office == office)
    return (await work.session.scalars(these.order_by(true_copies.c.requested_at).limit(MOST))).all()
