"""Many certificates on their way at once, and the proof that each of them arrived once."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from cli.commands.audit import audited
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, Journey, Ministry, Officers, Person, until
from cli.target import Where
from shared.bus.client import BusClient
from shared.bus.stream import STREAM
from shared.contracts import operations
from shared.contracts.certificates.issuing import DraftCertificate
from shared.contracts.messages import Command, Request
from shared.security.step_up import MAX_DECISIONS
from tests.stories.conftest import RunningSystem, to
from tests.support.faulty import TAKEN_OVER_AFTER

FAULTY = Path(__file__).with_name("faulty.py")
PARTNER = "VN"

T = TypeVar("T")


class TwiceClient(BusClient):
    """Sends every command twice at the same time, as a nervous client does; both must get the same answer."""

    repeated = 0

    async def ask(self, request: Request, **whom: Any) -> Any:
        if not isinstance(request, Command) or request.secret:
            return await super().ask(request, **whom)
        one, other = await asyncio.gather(super().ask(request, **whom), super().ask(request, **whom))
        assert one == other
        self.repeated += 1
        return one


@dataclass
class Load:
    """One exporter's certificates for one partner, and what is known of them."""

    system: RunningSystem
    exporter: Exporter
    products: list[Any]
    partner: BusClient
    sent: int = 0
    patience: float = 60.0
    counts: dict[str, int] = field(default_factory=dict)
    in_flight: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def gather(cls, system: RunningSystem, partner: BusClient, patience: float) -> "Load":
        """An exporter with an examined product."""
        example = to(PARTNER)
        exporter = await Exporter.register(system.portal, system.ministry, example)
        products = example.products(exporter.exporter_id)
        await exporter.register_products(system.ministry, products)
        return cls(system, exporter, products, partner, patience=patience)

    async def send(self, count: int) -> None:
        """So many certificates are drafted and submitted; when all are in flight, they are paid, reviewed and approved."""
        self.in_flight.clear()
        journeys = await _sixteen_at_a_time(self.submitted() for _ in range(count))
        self.in_flight.set()
        await _sixteen_at_a_time(map(self.system.prepare, journeys))
        await _at_a_time(2 * MAX_DECISIONS, (journey.approve() for journey in journeys))  # officers confirm lists
        self.sent += count

    async def submitted(self) -> Journey:
        """A certificate that was handed in."""
        today = datetime.now(ZONE).date()
        journey = Journey(to(PARTNER), self.exporter, self.system.ministry, uuid4(), self.products)
        consignment = journey.example.consignment(self.products, today)
        draft = DraftCertificate(
            certificate_id=journey.certificate_id, exporter_id=self.exporter.exporter_id, consignment=consignment
        )
        await self.exporter.person.ask(draft)
        await journey.submit()
        return journey

    async def must_have_arrived(self) -> None:
        """Waits until all were received, audits, and counts: each was accepted, paid, numbered, sent and shown once."""
        operator, services = self.system.operator, self.system.stack.services

        async def all_received() -> bool | None:
            return True if await self._count(operator, "tracking", "received") >= self.sent else None

        with suppress(TimeoutError):  # the audit says more of what is missing
            await until(all_received, f"{self.sent} certificates to arrive", within=self.patience, look_again=0.2)
        findings = await audited(operator, services, patience=self.patience)
        assert [(finding.says, finding.offenders[:5]) for finding in findings if not finding.holds] == []
        self.counts = {
            "accepted": await self._count(operator, "certificates", "submitted"),
            "settled": await self._count(operator, "fees", "settled"),
            "numbered": await self._count(operator, "certificates", "numbered"),
            "transmitted": await self._count(operator, "gateway", "transmitted"),
            "tracked": await self._count(operator, "tracking", "received"),
            "received abroad": await self._count(self.partner, "gateway", "decided_by_customs"),
        }
        assert self.counts == dict.fromkeys(self.counts, self.sent)
        print(" = ".join(self.counts), f"= {self.sent}, duplicates 0, offenders 0")

    async def _count(self, asker: BusClient, service: str, fact: str) -> int:
        digest: operations.Digest = await asker.ask(operations.AskDigest(facts=(fact,)), service=service)
        assert digest.facts[0].repeated == 0
        return digest.facts[0].count

    @property
    def where(self) -> Where:
        """The system, as an operator names it."""
        return Where(root=self.system.stack.root)

    def at(self, country: str) -> Where:
        """The part of the system that serves a country."""
        return replace(self.where, country=country)

    def asking_through(self, asker: BusClient) -> "Load":
        """The same people, who ask in another way."""

        def person(of: Person) -> Person:
            return replace(of, asker=asker)

        def team(of: Officers) -> Officers:
            return Officers(tuple(map(person, of.people)))

        officers = self.system.ministry
        teams = (team(getattr(officers, each.name)) for each in fields(officers) if each.name != "administrator")
        ministry = Ministry(officers.administrator, *teams)
        exporter = replace(self.exporter, person=person(self.exporter.person))
        return replace(self, system=replace(self.system, ministry=ministry), exporter=exporter, sent=0)

    async def become_faulty(self, folder: Path, faults: Callable[[str], tuple[str, ...]]) -> None:
        """Every service that has faults is run with them from now on, and all are well again when this is called with none."""
        for name, process in self.system.stack.processes.items():
            if name not in self.system.stack.services:
                continue
            of_name = faults(name)
            own = folder / name if (folder / name).is_dir() else folder
            command = (str(FAULTY), name, str(own), *of_name) if of_name else ("-m", f"services.{name}")
            if process.program.command[1:] != command:
                process.program = replace(process.program, command=(sys.executable, *command))
                process.kill()
        await asyncio.sleep(1)
        await self.system.stack.ready()


async def _sixteen_at_a_time(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    return await _at_a_time(16, works)


async def _at_a_time(many: int, works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    hands = asyncio.Semaphore(many)

    async def one(work: Coroutine[Any, Any, T]) -> T:
        async with hands:
            return await work

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(work)) for work in works]
    return [task.result() for task in tasks]


async def hand_over_sooner(system: RunningSystem) -> None:
    """What a dead replica had been handed over is handed to another after seconds."""
    client = await system.on_the_bus_as("operator")
    jetstream = client.jetstream()
    for service in system.stack.services:
        consumer = (await jetstream.consumer_info(STREAM, service)).config
        await jetstream.add_consumer(STREAM, replace(consumer, ack_wait=TAKEN_OVER_AFTER))
    await client.close()


NO_FAULTS: Callable[[str], tuple[str, ...]] = lambda name: ()  # noqa: E731
