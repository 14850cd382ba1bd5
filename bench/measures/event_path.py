"""The event path of a service on SQLite: it hears an event, has one effect and announces one event, beside its floor.

For each event: one delivery, one verified signature, an inbox row, an effect row, an outbox row, one signed event that
JetStream acknowledges, the mark in the outbox, and one acknowledgement. The product is `bench.event_service` with tracing to
a file, as in the embedded run. The floor is `bench.floors.event_path`, on a second bus with the same configuration.

Signed events wait in the stream while the consumer is paused. The time runs from the end of the pause until the stream has
stored the last event of the service. Details: milliseconds of a processor for one event in the service.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from statistics import median
from time import monotonic
from typing import Any
from uuid import uuid4

import nkeys
from nats.js import JetStreamContext
from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bench.event_service import NAME, TABLES
from bench.figures import Conditions, Figure, middle
from bench.processes import a_floor, cpu_ms
from deploy.embedded.layout import free_ports
from deploy.embedded.processes import Program
from deploy.embedded.stack import Stack
from deploy.secrets import Secrets
from shared.bus.connection import TRACE_HEADER, connect
from shared.bus.stream import STREAM
from shared.contracts.certificates.issuing import CertificateSubmitted, SubmittedGoods
from shared.contracts.index import OPERATOR, SERVICES
from shared.database.engine import with_driver
from shared.database.migrations.schema import migrate
from shared.security.event_signatures import EventSigner
from tests.support.bus import a_bus

FIGURES = ("event_path",)

COUNTRY, ANNOUNCER = "KH", "certificates"
IN_FLIGHT = 200
"""Events that the bench publishes at once."""
STALLED = 20.0
"""Seconds without another event of the service after which the measure gives up."""


class Stalled(OSError):
    """The service announces no more events."""


class EventStack(Stack):
    """The bus and `bench.event_service` in the place of fees. `url`: its database, if it is not SQLite."""

    def __init__(self, root: Path, url: str | None) -> None:
        self._url = url
        super().__init__(root, services=(NAME,), partners=(), ports=free_ports)

    def database_url(self, service: str, country: str | None = None) -> str:
        return self._url or super().database_url(service, country)

    def announcers_of(self, country: str) -> tuple[str, ...]:
        return SERVICES

    def _service(self, service: str, country: str) -> Program:
        program = super()._service(service, country)
        return replace(program, command=(*program.command[:-1], "bench.event_service"))


@dataclass
class Side:
    """The product or the floor: its bus, and its process."""

    operator: JetStreamContext
    announcer: JetStreamContext
    signer: EventSigner
    pid: int

    @classmethod
    async def of(cls, closing: AsyncExitStack, url: str, secrets: Secrets, pid: int) -> "Side":
        """Connects to a bus."""
        streams = []
        for user in (OPERATOR, ANNOUNCER):
            client = await connect(user, url, secrets.seed(COUNTRY, user).read_text().strip())
            closing.push_async_callback(client.close)
            streams.append(client.jetstream(timeout=10))
        signer = EventSigner(nkeys.from_seed(secrets.seed(COUNTRY, ANNOUNCER).read_bytes()))
        return cls(operator=streams[0], announcer=streams[1], signer=signer, pid=pid)

    async def run(self, count: int) -> tuple[float, float]:
        """Lets the service handle `count` events. Returns the events per second, and the CPU milliseconds of each.

        Raises Stalled.
        """
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        await self.operator.pause_consumer(STREAM, NAME, tomorrow.isoformat())
        await self._publish(count)
        before = await self._stored()
        used, began = cpu_ms(self.pid), datetime.now(UTC)
        await self.operator.resume_consumer(STREAM, NAME)
        await self._wait_until_stored(before + count)
        used = cpu_ms(self.pid) - used
        last = await self.operator.get_msg(STREAM, before + count)
        assert last.time is not None
        return count / (last.time - began).total_seconds(), used / count

    async def _publish(self, count: int) -> None:
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def one(body: bytes) -> None:
            headers = self.signer.headers(CertificateSubmitted.subject, uuid4(), body)
            headers[TRACE_HEADER] = f"00-{token_hex(16)}-{token_hex(8)}-01"
            async with slots:
                await self.announcer.publish(CertificateSubmitted.subject, body, stream=STREAM, headers=headers)

        await asyncio.gather(*map(one, bodies(count)))

    async def _stored(self) -> int:
        return (await self.operator.stream_info(STREAM)).state.last_seq

    async def _wait_until_stored(self, sequence: int) -> None:
        last, moved = 0, monotonic()
        while (stored := await self._stored()) < sequence:
            if stored > last:
                last, moved = stored, monotonic()
            if monotonic() - moved > STALLED:
                raise Stalled(f"{sequence - stored} events were not announced within {STALLED:.0f} s")
            await asyncio.sleep(0.1)


def bodies(count: int) -> list[bytes]:
    """The bodies of events about different certificates."""
    goods = (SubmittedGoods(hs_code="640399", handicraft=False, quantity=Decimal(1200), unit="PRS"),)
    event = CertificateSubmitted(
        version=2,
        occurred_at=datetime.now(UTC),
        certificate_id=uuid4(),
        exporter_id=uuid4(),
        office="PNH",
        form="D",
        submission=1,
        submitted_on=date.today(),
        goods=goods,
    )
    text = event.model_dump_json()
    return [text.replace(str(event.certificate_id), str(uuid4())).encode() for _ in range(count)]


async def measure(conditions: Conditions) -> list[Figure]:
    """Measures both on SQLite."""
    return [await figure_of("event_path", conditions, None, None)]


async def figure_of(name: str, conditions: Conditions, ours: str | None, floors: str | None) -> Figure:
    """The figure of a database. `ours`, `floors`: the addresses of two empty databases; None for SQLite."""
    count, results = conditions.at_most(3000, 500), []
    async with two_sides(conditions.folder, ours, floors) as (product, floor):
        for side in (product, floor):
            await side.run(conditions.at_most(500, 100))
        for _ in range(conditions.rounds):
            results.append((await product.run(count), await floor.run(count)))
    cpu = {side: round(median(pair[index][1] for pair in results), 3) for index, side in enumerate(("product", "floor"))}
    return middle(name, "1/s", [(product[0], floor[0]) for product, floor in results], cpu_ms=cpu)


@asynccontextmanager
async def two_sides(folder: Path, ours: str | None, floors: str | None) -> AsyncIterator[tuple[Side, Side]]:
    """The product and the floor, ready."""
    async with AsyncExitStack() as closing:
        stack = await closing.enter_async_context(EventStack(folder / "product", ours))
        await _create_effects(make_url(stack.database_url(NAME)))

        bus = await closing.enter_async_context(a_bus(folder / "floor"))
        file = bus.root / "floor.db"
        url = make_url(floors or stack.database_url(NAME))
        url = url if floors else url.set(database=str(file))
        await asyncio.to_thread(migrate, NAME, url)
        await _create_effects(url)
        key = base64.b32decode(bus.secrets.public_key(COUNTRY, ANNOUNCER))[1:33].hex()
        given: dict[str, Any] = {"url": bus.url, "seed_file": str(bus.seed_file(NAME)), "announcer": key}
        given |= {"postgresql": url.set(drivername="postgresql").render_as_string()} if floors else {"sqlite": str(file)}
        floor = await closing.enter_async_context(a_floor("event_path", given))
        yield (
            await Side.of(closing, stack.nats_url, stack.secrets, stack.processes[NAME].pid or 0),
            await Side.of(closing, bus.url, bus.secrets, floor),
        )


async def _create_effects(url: URL) -> None:
    engine = create_async_engine(with_driver(url))
    async with engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)
    await engine.dispose()
