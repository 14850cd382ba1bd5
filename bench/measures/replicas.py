"""Whole lives a second on PostgreSQL with one, two and three replicas of certificates, and how often locks are waited for.

Every commit is on the disk (`fsync=on`). All processes share the cores of this machine: more replicas help only while cores are
free. No floor: one replica is what the others are compared with.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import mean, median
from typing import Any, Self
from uuid import UUID

import asyncpg

from bench.cpu import cpu_of_family, cpu_of_groups, groups_of
from bench.figures import Conditions, Figure, LeftOut
from bench.passages import UNDER_WAY, Passage, Passages, RealPeople
from bench.system import System, a_system
from deploy.embedded.layout import free_ports
from deploy.embedded.processes import Program
from deploy.embedded.stack import Stack
from shared.bus.connection import connect
from tests.support.postgres import NoPostgres, Postgres

REPLICAS = (1, 2, 3)
FIGURES = tuple(f"replicas_{number}" for number in REPLICAS)
LIVES, QUICK_LIVES = 100, 2
QUICK_UNDER_WAY = 4
APPROVERS, QUICK_APPROVERS = 6, 1
SERVICE = "certificates"
OPTIONS = "-c max_connections=300 -c shared_buffers=128MB -c fsync=on -c synchronous_commit=on"
SAMPLE_SECONDS = 0.05

INVOICED = "SELECT certificate_id FROM invoices WHERE certificate_id = ANY($1)"
RECEIVED = """
    SELECT c.certificate_id FROM tracked_certificates c JOIN tracked_steps s
    ON s.reference = c.reference AND s.number = 1 AND s.code = 'REC' WHERE c.certificate_id = ANY($1)"""
WAITING = "SELECT wait_event || ': ' || left(query, 70) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
DEADLOCKS = "SELECT coalesce(sum(deadlocks), 0)::int FROM pg_stat_database"


class StackOnPostgres(Stack):
    """An embedded run whose services have databases of one PostgreSQL server, and more than one replica."""

    def __init__(self, *args: Any, postgres: Postgres, **layout: Any) -> None:
        self._postgres = postgres
        self._databases: dict[str, str] = {}
        super().__init__(*args, **layout)

    def database_url(self, service: str, country: str | None = None) -> str:
        """The address of the database of a service, which is created when it is first needed."""
        name = self.name(service, country)
        if name not in self._databases:
            self._databases[name] = self._postgres.new_database()
        return self._postgres.url(self._databases[name])

    async def scale(self, service: str, replicas: int) -> None:
        """Starts or stops replicas of a service of the home country, until there are so many."""
        for number in range(2, max(REPLICAS) + 1):
            name = f"{service}-{number}"
            if number > replicas:
                if name in self.processes:
                    await self.stop(name)
                    del self.processes[name]
            elif name not in self.processes:
                await self._run(self._replica(service, name))
                await self.ready([name])

    def _replica(self, service: str, name: str) -> Program:
        program, port = self._service(service, self.country), free_ports((name,))[name]
        environment = {**program.environment, "CO_HTTP_PORT": str(port)}
        url = f"http://127.0.0.1:{port}/ready"
        return replace(program, name=name, log_file=self.log_file(name), ready_url=url, environment=environment)

    async def connection_to(self, service: str) -> asyncpg.Connection:
        """A connection to the database of a service."""
        return await asyncpg.connect(self.database_url(service).replace("+asyncpg", ""))


@dataclass
class SeenInDatabases:
    """Reads the databases of fees and tracking."""

    fees: asyncpg.Connection
    tracking: asyncpg.Connection

    async def invoiced(self, ids: Sequence[UUID]) -> Iterable[UUID]:
        """The certificates with an invoice."""
        return [row[0] for row in await self.fees.fetch(INVOICED, ids)]

    async def received(self, ids: Sequence[UUID]) -> Iterable[UUID]:
        """The certificates that the public sees as received by customs."""
        return [row[0] for row in await self.tracking.fetch(RECEIVED, ids)]


class Locks:
    """Counts who waits for a lock, again and again, and the deadlocks: `async with Locks(connection) as locks`."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._samples = 0
        self.statements: Counter[str] = Counter()
        """How often each statement was seen that waits."""
        self._ended = asyncio.Event()
        self.deadlocks = 0

    async def __aenter__(self) -> Self:
        self._before = await self._connection.fetchval(DEADLOCKS)
        self._sampling = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ended.set()
        await self._sampling
        self.deadlocks = await self._connection.fetchval(DEADLOCKS) - self._before

    @property
    def waiting(self) -> float:
        """How many transactions waited for a lock on average."""
        return self.statements.total() / max(self._samples, 1)

    async def _sample(self) -> None:
        while not self._ended.is_set():
            self.statements.update(row[0] for row in await self._connection.fetch(WAITING))
            self._samples += 1
            await asyncio.sleep(SAMPLE_SECONDS)


@dataclass(frozen=True)
class Run:
    """One run with so many replicas."""

    passage: Passage
    locks: Locks


async def measure(conditions: Conditions) -> list[Figure]:
    """Measures one, two and three replicas in turn."""
    if (os.cpu_count() or 1) < 2:
        raise LeftOut("this machine has one core, and replicas need several")
    runs: dict[int, list[Run]] = {number: [] for number in REPLICAS}
    count, under_way = conditions.at_most(LIVES, QUICK_LIVES), conditions.at_most(UNDER_WAY, QUICK_UNDER_WAY)
    with a_server() as postgres:
        approvers = conditions.at_most(APPROVERS, QUICK_APPROVERS)
        async with a_system(conditions.folder, approvers, StackOnPostgres, postgres=postgres) as system:
            for _ in range(conditions.rounds):
                for replicas in REPLICAS:
                    runs[replicas].append(await one_run(system, postgres, replicas, count + 2 * under_way, under_way))
    alone = median(run.passage.rate for run in runs[1])
    return [figure(number, found, alone) for number, found in runs.items()]


def figure(number: int, runs: Sequence[Run], alone: float) -> Figure:
    """The figure of so many replicas. `alone`: the rate of one replica."""
    passage = Passage.median([run.passage for run in runs])
    details = passage.details() | {
        "cpu_ms": round(passage.cpu_ms, 1),
        "beside_one": round(passage.rate / alone, 2),
        "waiting_for_locks": round(mean(run.locks.waiting for run in runs), 2),
        "waiting_most": dict(sum((run.locks.statements for run in runs), Counter[str]()).most_common(3)),
        "deadlocks": sum(run.locks.deadlocks for run in runs),
    }
    return Figure(f"replicas_{number}", "1/s", median(run.passage.rate for run in runs), None, details)


@contextmanager
def a_server() -> Iterator[Postgres]:
    """A PostgreSQL server. Raises LeftOut if there is none on this machine."""
    try:
        postgres = Postgres(OPTIONS)
    except NoPostgres as reason:
        raise LeftOut(str(reason)) from None
    try:
        yield postgres
    finally:
        postgres.remove()


async def one_run(system: System, postgres: Postgres, replicas: int, count: int, under_way: int) -> Run:
    """Takes new drafts to their customs with so many replicas."""
    stack = system.stack
    assert isinstance(stack, StackOnPostgres)
    await stack.scale(SERVICE, replicas)
    drafts = await system.drafts(count)
    client = await connect("portal", stack.nats_url, stack.seed("portal"))
    databases = [await stack.connection_to(service) for service in ("fees", "tracking", SERVICE)]
    try:
        passages = Passages(
            client,
            RealPeople(system),
            SeenInDatabases(*databases[:2]),
            amount_khr=system.example.expected.fee_khr,
            today=system.today,
            cpu=lambda: cpu_of_groups(groups_of(stack)) | {"postgres": cpu_of_family(postgres.pid)},
            under_way=under_way,
        )
        async with Locks(databases[2]) as locks:
            passage = await passages.run(drafts)
        return Run(passage, locks)
    finally:
        await client.close()
        for database in databases:
            await database.close()
