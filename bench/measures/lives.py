"""Whole lives of certificates a second, and what one costs: from the submission until the public sees REC, 40 under way."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Self
from uuid import UUID

from bench.cpu import groups_of
from bench.figures import Conditions, Figure
from bench.passages import UNDER_WAY, Passage, Passages, RealPeople
from bench.system import System, a_system
from shared.bus.connection import connect

FIGURES = ("lives", "life_cpu")
LIVES, QUICK_LIVES = 240, 24
"""Lives of one round; the first and the last 40 are not measured, because fewer are under way."""
QUICK_UNDER_WAY = 8
APPROVERS, QUICK_APPROVERS = 6, 1

INVOICED = "SELECT certificate_id FROM invoices WHERE certificate_id IN ({})"
RECEIVED = """
    SELECT c.certificate_id FROM tracked_certificates c JOIN tracked_steps s
    ON s.reference = c.reference AND s.number = 1 AND s.code = 'REC' WHERE c.certificate_id IN ({})"""


class SeenInFiles:
    """Reads the SQLite files of fees and tracking."""

    def __init__(self, fees: Path, tracking: Path) -> None:
        self._fees, self._tracking = (sqlite3.connect(f"file:{file}?mode=ro", uri=True) for file in (fees, tracking))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._fees.close()
        self._tracking.close()

    async def invoiced(self, ids: Sequence[UUID]) -> Iterable[UUID]:
        """The certificates with an invoice."""
        return _found(self._fees, INVOICED, ids)

    async def received(self, ids: Sequence[UUID]) -> Iterable[UUID]:
        """The certificates that the public sees as received by customs."""
        return _found(self._tracking, RECEIVED, ids)


def _found(database: sqlite3.Connection, query: str, ids: Sequence[UUID]) -> list[UUID]:
    values = [each.hex for each in ids]
    with closing(database.execute(query.format(",".join("?" * len(values))), values)) as rows:
        return [UUID(row[0]) for row in rows]


async def measure(conditions: Conditions) -> list[Figure]:
    """Measures the system of the embedded run and its floor in turn."""
    count, under_way = conditions.at_most(LIVES, QUICK_LIVES), conditions.at_most(UNDER_WAY, QUICK_UNDER_WAY)
    products: list[Passage] = []
    async with a_system(conditions.folder, conditions.at_most(APPROVERS, QUICK_APPROVERS)) as system:
        for _ in range(conditions.rounds):
            products.append(await of_product(system, await system.drafts(count), under_way))
    middle = sorted(products, key=lambda each: each.rate)[len(products) // 2]
    return [
        Figure("lives", "1/s", median(each.rate for each in products), details=middle.details()),
        Figure("life_cpu", "CPU-ms", median(each.cpu_ms for each in products), details=middle.details()),
    ]


async def of_product(system: System, drafts: list[UUID], under_way: int) -> Passage:
    """One run of the product."""
    stack = system.stack
    client = await connect("portal", stack.nats_url, stack.seed("portal"))
    data = stack.root / "data"
    try:
        with SeenInFiles(data / "fees.db", data / "tracking.db") as seen:
            passages = Passages(
                client,
                RealPeople(system),
                seen,
                amount_khr=system.example.expected.fee_khr,
                today=system.today,
                groups=groups_of(stack),
                under_way=under_way,
            )
            return await passages.run(drafts)
    finally:
        await client.close()
