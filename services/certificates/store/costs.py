"""Queries for the cost statements of products. Each is stored with the worksheet of its day, and never changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, tuple_

from services.certificates.domain.consignment import OriginFinding
from services.certificates.domain.product import Product
from services.certificates.store.tables import product_costs
from shared.handling.work import Work


@dataclass(frozen=True, kw_only=True)
class CostsRow:
    """A cost statement (ProductCosts) and its worksheet (OriginAssessment), both as JSON.

    `rules`: the form and the version of the rules. `box_13`: the ticks that follow from the criterion of the product.
    """

    product_id: UUID
    version: int
    costs: str
    assessment: str
    claim_met: bool
    rules: str
    box_13: list[str]
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


async def findings_on(work: Work, products: Iterable[Product], form: str) -> dict[UUID, OriginFinding]:
    """What the worksheets say by which these products were approved. A product without one is left out.

    The rules of another form give no ticks.
    """
    versions = {product.product_id: product.approved_costs_version for product in products if product.approved_costs_version}
    columns = product_costs.c.product_id, product_costs.c.version, product_costs.c.rules, product_costs.c.box_13
    these = select(*columns).where(tuple_(columns[0], columns[1]).in_(list(versions.items())))
    rows = await work.session.execute(these) if versions else ()
    return {
        product_id: OriginFinding(costs_version=version, rules=rules, box_13=box_13 if rules.split(" ")[0] == form else [])
        for product_id, version, rules, box_13 in rows
    }
