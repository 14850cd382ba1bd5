"""The products of the demo: registered, some with a cost statement, and examined by an officer."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from cli.demo.companies import Company, unless_done
from cli.demo.people import Person
from cli.demo.sign_ins import SignIns
from shared.contracts.certificates.costs import ProductCosts, StateProductCosts
from shared.contracts.certificates.lists import GetProduct
from shared.contracts.certificates.products import (
    ApproveProduct,
    ClaimedCriterion,
    ProductState,
    RefuseProduct,
    RegisterProduct,
)
from shared.contracts.messages import Command

Row = Mapping[str, Any]


async def register_products(
    rows: Mapping[str, Row], companies: Mapping[str, Company], sign_ins: SignIns, reviewer: Person, today: date
) -> None:
    """Registers the products of the data. What an interrupted run has done stays as it is. Raises AskRefused."""

    async def one(key: str, row: Row) -> None:
        company, product_id = companies[row["of"]], sign_ins.id_of(f"product {key}")
        command = RegisterProduct(
            product_id=product_id,
            exporter_id=company.exporter_id,
            description=row["description"],
            hs_code=row["hs_code"],
            criterion=ClaimedCriterion(**row["criterion"]),
            handicraft=row.get("handicraft", False),
        )
        await unless_done(company.person.ask(command))
        if "costs" in row:
            await _state_costs(company, product_id, row["costs"], today)
        if "refused" in row:
            decision: Command = RefuseProduct(product_id=product_id, reason=row["refused"])
        elif row.get("waits"):
            return
        else:
            decision = ApproveProduct(product_id=product_id)
        await unless_done(reviewer.ask(decision))

    await asyncio.gather(*(one(key, row) for key, row in rows.items()))


async def _state_costs(company: Company, product_id: UUID, row: Row, today: date) -> None:
    product: ProductState = await company.person.ask(GetProduct(product_id=product_id))
    if product.costs_version is None:
        figures = {name: value for name, value in row.items() if name != "costed_days_ago"}
        costs = ProductCosts(**figures, costed_on=today - timedelta(days=row["costed_days_ago"]))
        await unless_done(company.person.ask(StateProductCosts(product_id=product_id, costs=costs)))
