"""Queries for certificates of the former system. They are imported to be copied, and never changed."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from services.certificates.store.tables import former_certificates
from shared.database.paging import By, page_of
from shared.handling.work import Work


@dataclass(frozen=True, kw_only=True)
class Former:
    """A certificate of the former system. `content`: ImportedCertificate as JSON."""

    certificate_id: UUID
    exporter_id: UUID
    reference: str
    issued_on: date
    search: str
    content: str


async def find_former(work: Work, certificate_id: UUID) -> Former | None:
    """The certificate, or None."""
    this = select(former_certificates).where(former_certificates.c.certificate_id == certificate_id)
    row = (await work.session.execute(this)).first()
    return None if row is None else Former(**row._mapping)


async def keep_former(work: Work, former: Former) -> None:
    """Keeps a certificate of the former system."""
    await work.session.execute(insert(former_certificates).values(**vars(former)))


async def list_former(
    work: Work, exporter_id: UUID, search: str | None, after: str | None, limit: int
) -> tuple[list[Row[Any]], str | None]:
    """A page of the certificates of an exporter, the last issued first, and the next cursor. Raises CursorMalformed."""
    c = former_certificates.c
    rows = select(c.certificate_id, c.content).where(c.exporter_id == exporter_id)
    if search is not None:
        rows = rows.where(c.search.contains(search.lower(), autoescape=True))
    order = (By(c.issued_on, descending=True), By(c.certificate_id, descending=True))
    return await page_of(work.session, rows, order, after, limit)
