"""Queries for assignments. An assignment that has expired stays as a row until somebody replaces it, and counts for nothing."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select

from services.certificates.domain.assignment import Assignment
from services.certificates.store.tables import assignments
from shared.database.upserts import dialect_of, upsert
from shared.handling.work import Work

_OF_CERTIFICATE = assignments.c.certificate_id == bindparam("certificate_id")
_LIVE = select(assignments).where(_OF_CERTIFICATE, assignments.c.until > bindparam("now"))
_END = delete(assignments).where(_OF_CERTIFICATE)


async def find_assignment(work: Work, certificate_id: UUID) -> Assignment | None:
    """The assignment of a certificate that has not expired, or None."""
    row = (await work.session.execute(_LIVE, {"certificate_id": certificate_id, "now": work.now})).first()
    return None if row is None else Assignment(**row._mapping)


async def keep_assignment(work: Work, assignment: Assignment) -> None:
    """Keeps an assignment in place of a former one."""
    row = vars(assignment)
    insert = upsert(dialect_of(work.session), assignments).values(row)
    await work.session.execute(insert.on_conflict_do_update(index_elements=["certificate_id"], set_=row))


async def end_assignment(work: Work, certificate_id: UUID) -> None:
    """The certificate is assigned to nobody."""
    await work.session.execute(_END, {"certificate_id": certificate_id})
