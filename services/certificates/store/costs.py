"""Queries for the cost statements of products. Each is stored with the worksheet of its day, and never changed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select

from services.certificates.store.tables import product_costs
from shared.handling.work import Work


@dataclass(frozen=True, kw_only=True)
class CostsRow:
    """A cost statement (ProductCosts) and its worksheet (OriginAssessment), both as JSON."""

    product_id: UUID
    version: int
    costs: str
    assessment: str
    claim_met: bool
    stated_at: datetime
    stated_by: UUID | None


async def keep_costs(work: Work, row: CostsRow) -> None:
    """Keeps a cost statement."""
    await work.session.execute(insert(product_costs).values(**vars(row)))


async def find_costs(work: Work, product_id: UUID, version: int) -> CostsRow | None:
    """A cost statement of a product, or None."""
    this = (product_costs.c.product_id == product_id) & (product_costs.c.version == version)
    row = (await work.session.execute(select(product_costs).where(this))).first()
    return None if row is None else CostsRow(**row._mapping)
