"""Whole lives of certificates a second, and what one costs: from the submission until the public sees REC, 40 under way."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Self
from uuid import UUID

from bench.cpu import cpu_of_groups, groups_of
from bench.figures import Conditions, Figure, middle
from bench.floors.stack import SERVICES as FLOOR_SERVICES
from bench.floors.stack import FloorStack
from bench.passages import UNDER_WAY, Passage, Passages, People, RealPeople
from bench.system import System, a_system
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack
from shared.bus.connection import connect
from shared.contracts.messages import Command

FIGURES = ("lives", "life_cpu")
LIVES, QUICK_LIVES = 160, 2
"""Lives that are measured in the first round. As many again as are under way come before them, and after them."""
SECONDS = 10.0
"""The next rounds are so long, if the first one was shorter."""
QUICK_UNDER_WAY = 4
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


class FixedPeople:
    """The people of the product with their present tokens, for a floor. It verifies signatures, but expects no step-up."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = tokens

    @classmethod
    async def of(cls, people: RealPeople) -> Self:
        """The tokens that people have now."""
        return cls({who: await people.token(who) for who in ("exporter", "cashier", "reviewer")})

    async def token(self, who: str) -> str:
        """The token of the exporter, the cashier or the reviewer."""
        return self._tokens[who]

    async def confirmed(self, commands: Sequence[Command]) -> tuple[str, str]:
        """Two tokens, as an approval needs them."""
        return self._tokens["reviewer"], self._tokens["reviewer"]


async def measure(conditions: Conditions) -> list[Figure]:
    """Measures the system of the embedded run and its floor in turn."""
    under_way = conditions.at_most(UNDER_WAY, QUICK_UNDER_WAY)
    products: list[Passage] = []
    floors: list[Passage] = []
    async with (
        a_system(conditions.folder, conditions.at_most(APPROVERS, QUICK_APPROVERS)) as system,
        FloorStack(
            conditions.folder / "floor",
            partners=system.stack.partners,
            services=FLOOR_SERVICES,
            ports=free_ports,
            customs_rules=conditions.folder / "customs.json",
        ) as floor,
    ):
        people = RealPeople(system)
        measured = dict.fromkeys(("product", "floor"), conditions.at_most(LIVES, QUICK_LIVES))
        for _ in range(conditions.rounds):
            counts = {side: 2 * under_way + lives for side, lives in measured.items()}
            drafts = await system.drafts(counts["product"])
            copies = floor.drafts(system.stack, drafts[0], counts["floor"])
            floors.append(await passage(system, floor, await FixedPeople.of(people), copies, under_way))
            products.append(await passage(system, system.stack, people, drafts, under_way))
            measured = {
                "product": max(measured["product"], round(SECONDS * products[-1].rate)),
                "floor": max(measured["floor"], round(SECONDS * floors[-1].rate)),
            }
    details = {"product": Passage.median(products).details(), "floor": Passage.median(floors).details()}
    rates = [(one.rate, other.rate) for one, other in zip(products, floors, strict=True)]
    costs = [(one.cpu_ms, other.cpu_ms) for one, other in zip(products, floors, strict=True)]
    return [middle("lives", "1/s", rates, **details), middle("life_cpu", "CPU-ms", costs, **details)]


async def passage(system: System, stack: Stack, people: People, drafts: Sequence[UUID], under_way: int) -> Passage:
    """One run on a stack."""
    client = await connect("portal", stack.nats_url, stack.seed("portal"))
    data = stack.root / "data"
    try:
        with SeenInFiles(data / "fees.db", data / "tracking.db") as seen:
            passages = Passages(
                client,
                people,
                seen,
                amount_khr=system.example.expected.fee_khr,
                today=system.today,
                cpu=lambda: cpu_of_groups(groups_of(stack)),
                under_way=under_way,
            )
            return await passages.run(drafts)
    except TimeoutError as error:
        restarts = {name: process.restarts for name, process in stack.processes.items() if process.restarts}
        raise TimeoutError(f"{type(stack).__name__}: {error}; restarts: {restarts or 'none'}") from None
    finally:
        await client.close()
