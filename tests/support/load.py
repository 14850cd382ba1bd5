"""Takes many certificates through the system at once and checks that each of them arrives exactly once."""

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
from cli.demo.consignment import Journey
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, Ministry, Officers, Person, until
from cli.target import Where
from shared.bus.client import BusClient
from shared.bus.stream import STREAM
from shared.contracts import operations
from shared.contracts.certificates.issuing import DraftCertificate
from shared.contracts.certificates.sealing import CertificateSealed
from shared.contracts.messages import Command, Request
from shared.security.step_up import MAX_DECISIONS
from tests.stories.conftest import RunningSystem, to
from tests.support.faulty import LEASE_SECONDS

FAULTY = Path(__file__).with_name("faulty.py")
PARTNER = "VN"

T = TypeVar("T")


class TwiceClient(BusClient):
    """Sends every command twice at the same time. Both requests must get the same answer."""

    repeated = 0

    async def ask(self, request: Request, **identity: Any) -> Any:
        if not isinstance(request, Command) or request.secret:
            return await super().ask(request, **identity)
        first, second = await asyncio.gather(super().ask(request, **identity), super().ask(request, **identity))
        assert first == second
        self.repeated += 1
        return first


@dataclass
class Load:
    """The certificates of one exporter for one partner, with their counts."""

    system: RunningSystem
    exporter: Exporter
    products: list[Any]
    partner: BusClient
    sent: int = 0
    patience: float = 60.0
    counts: dict[str, int] = field(default_factory=dict)
    in_flight: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    async def create(cls, system: RunningSystem, partner: BusClient, patience: float) -> "Load":
        """Registers an exporter with an approved product."""
        example = to(PARTNER)
        exporter = await Exporter.register(system.portal, system.ministry, example)
        products = example.products(exporter.exporter_id)
        await exporter.register_products(system.ministry, products)
        return cls(system, exporter, products, partner, patience=patience)

    async def send(self, count: int) -> None:
        """Drafts and submits `count` certificates. When all are submitted, they are paid, reviewed and approved."""
        self.in_flight.clear()
        journeys = await _at_most_16(self.submitted() for _ in range(count))
        self.in_flight.set()
        await _at_most_16(map(self.system.prepare, journeys))
        await _at_most(5 * MAX_DECISIONS, (journey.approve() for journey in journeys))  # each of five officers confirms a list
        self.sent += count

    async def submitted(self) -> Journey:
        """Drafts and submits one certificate."""
        today = datetime.now(ZONE).date()
        journey = Journey(to(PARTNER), self.exporter, self.system.ministry, uuid4(), self.products)
        consignment = journey.example.consignment(self.products, today)
        draft = DraftCertificate(
            certificate_id=journey.certificate_id, exporter_id=self.exporter.exporter_id, consignment=consignment
        )
        await self.exporter.person.ask(draft)
        await journey.submit()
        return journey

    async def check_arrival(self) -> None:
        """Waits until all have arrived. Checks that each was accepted, paid, numbered, sent and shown exactly once."""
        operator, services = self.system.operator, self.system.stack.services

        async def all_received() -> bool | None:
            return True if await self._count(operator, "tracking", "received") >= self.sent else None

        async def all_sealed() -> bool | None:
            sealed = operations.announced(CertificateSealed)
            return True if await self._count(operator, "certificates", sealed) >= self.sent else None

        with suppress(TimeoutError):  # the consistency rules report more details
            await until(all_received, f"{self.sent} certificates to arrive", within=self.patience, interval=0.2)
            await until(all_sealed, f"{self.sent} documents to be sealed", within=self.patience, interval=0.2)
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

    async def _count(self, bus: BusClient, service: str, fact: str) -> int:
        digest: operations.Digest = await bus.ask(operations.AskDigest(facts=(fact,)), service=service)
        assert digest.facts[0].repeated == 0
        return digest.facts[0].count

    @property
    def where(self) -> Where:
        """The system, for commands of the operator."""
        return Where(root=self.system.stack.root)

    def at(self, country: str) -> Where:
        """The services of a country, for commands of the operator."""
        return replace(self.where, country=country)

    def with_client(self, bus: BusClient) -> "Load":
        """The same users with another client of the bus."""

        def person(of: Person) -> Person:
            return replace(of, bus=bus)

        def team(of: Officers) -> Officers:
            return Officers(tuple(map(person, of.people)))

        officers = self.system.ministry
        teams = (team(getattr(officers, each.name)) for each in fields(officers) if each.name != "administrator")
        ministry = Ministry(officers.administrator, *teams)
        exporter = replace(self.exporter, person=person(self.exporter.person))
        return replace(self, system=replace(self.system, ministry=ministry), exporter=exporter, sent=0)

    async def set_faults(self, folder: Path, faults: Callable[[str], tuple[str, ...]]) -> None:
        """Restarts every service with its faults, or without any if `faults` returns none."""
        for name, process in self.system.stack.processes.items():
            if name not in self.system.stack.services:
                continue
            own_faults = faults(name)
            own_folder = folder / name if (folder / name).is_dir() else folder
            command = (str(FAULTY), name, str(own_folder), *own_faults) if own_faults else ("-m", f"services.{name}")
            if process.program.command[1:] != command:
                process.program = replace(process.program, command=(sys.executable, *command))
                process.kill()
        await asyncio.sleep(1)
        await self.system.stack.ready()


async def _at_most_16(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    return await _at_most(16, works)


async def _at_most(limit: int, works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    slots = asyncio.Semaphore(limit)

    async def one(work: Coroutine[Any, Any, T]) -> T:
        async with slots:
            return await work

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(work)) for work in works]
    return [task.result() for task in tasks]


async def redeliver_sooner(system: RunningSystem) -> None:
    """Lets the bus redeliver the events of a dead replica after seconds."""
    client = await system.connection_of("operator")
    jetstream = client.jetstream()
    for service in system.stack.services:
        consumer = (await jetstream.consumer_info(STREAM, service)).config
        await jetstream.add_consumer(STREAM, replace(consumer, ack_wait=LEASE_SECONDS))
    await client.close()


NO_FAULTS: Callable[[str], tuple[str, ...]] = lambda name: ()  # noqa: E731
