"""Runs replicas of a service with the handlers of a test, on a real bus and a real database."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from joserfc.jwk import OKPKey
from nats.aio.client import Client
from nats.js import JetStreamContext
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, make_url, select

from shared.bus.client import BusClient
from shared.clock import Clock
from shared.contracts.certificates.issuing import CertificateSubmitted, SubmittedGoods
from shared.contracts.certificates.withdrawing import CertificateClosed
from shared.contracts.fees import FeeSettled, GetInvoice, InvoiceState, RecordPayment
from shared.contracts.messages import Event
from shared.contracts.registry.identity import SigningKeyPublished
from shared.contracts.registry.registrations import RegistrationApproved
from shared.database.column_types import ROW_ID
from shared.database.engine import Database
from shared.database.tables import dead_letters, signing_keys
from shared.handling.actor import Actor
from shared.handling.router import EventFunction, Router
from shared.handling.task import Task
from shared.handling.work import ServiceContext, Work
from shared.runtime.replica import Replica
from shared.runtime.service import Service
from shared.security.tokens import public_jwk, sign_token
from shared.settings import Settings
from tests.conftest import Databases, eventually
from tests.support.bus import Bus
from tests.support.ports import free_port

ZONE = ZoneInfo("Asia/Phnom_Penh")

TABLES = MetaData()
effects = Table("effects", TABLES, Column("id", ROW_ID, primary_key=True), Column("what", String(200), nullable=False))
small = Table("small", TABLES, Column("id", Integer, primary_key=True), Column("name", String(20), unique=True))


class Chore(Task):
    """A task for tests."""

    kind: ClassVar[str] = "chore"
    name: str = ""


class OffsetClock(Clock):
    """A clock that a test can set forward, by `ahead`."""

    def __init__(self) -> None:
        super().__init__(ZONE)
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def keep(work: Work, what: object) -> None:
    """Inserts one row that a test can count."""
    await work.session.execute(insert(effects).values(what=str(what)))


def an_invoice(certificate_id: UUID | None = None, **fields: Any) -> InvoiceState:
    return InvoiceState(
        **{
            "certificate_id": certificate_id or uuid4(),
            "exporter_id": uuid4(),
            "lines": (),
            "amount_khr": 50_000,
            "paid_khr": 50_000,
            "settled": True,
            "version": 1,
        }
        | fields
    )


def a_payment(**fields: Any) -> RecordPayment:
    present = {"certificate_id": uuid4(), "amount_khr": 50_000, "slip_number": "SLIP-1", "paid_on": date(2026, 3, 1)}
    return RecordPayment(**present | fields)


def a_submission(**fields: Any) -> CertificateSubmitted:
    return CertificateSubmitted(
        **{
            "version": 1,
            "occurred_at": datetime.now(UTC),
            "certificate_id": uuid4(),
            "exporter_id": uuid4(),
            "office": "PNH",
            "form": "D",
            "submission": 1,
            "submitted_on": date(2026, 3, 1),
            "goods": (SubmittedGoods(hs_code="640399", handicraft=False, quantity=Decimal(1), unit="PRS"),),
        }
        | fields
    )


def a_settlement(certificate_id: UUID | None = None) -> FeeSettled:
    return FeeSettled(certificate_id=certificate_id or uuid4(), submission=1, version=1, occurred_at=datetime.now(UTC))


def a_cashier(**fields: Any) -> Actor:
    present = {"user_id": uuid4(), "session_id": uuid4(), "organisation": "PNH", "roles": frozenset({"cashier"})}
    return Actor(**present | fields)


async def keep_submission(event: CertificateSubmitted, work: Work) -> None:
    await keep(work, event.certificate_id)


async def ignore(event: Event, work: Work) -> None:
    """Events that the tests of the plumbing do not need."""


async def keep_payment(command: RecordPayment, work: Work) -> InvoiceState:
    work.actor.must_be("cashier")
    await keep(work, command.slip_number)
    work.announce(a_settlement(command.certificate_id))
    return an_invoice(command.certificate_id)


async def show_invoice(question: GetInvoice, work: Work) -> InvoiceState:
    return an_invoice(question.certificate_id)


def a_router(
    *,
    submitted: EventFunction = keep_submission,
    pay: Any = keep_payment,
    show: Any = show_invoice,
    tasks: Iterable[tuple[type[Task], EventFunction]] = (),
) -> Router:
    """The handlers of a service with the events and requests of fees."""
    router = Router()
    router.on(CertificateSubmitted)(submitted)
    for event in (CertificateClosed, RegistrationApproved):
        router.on(event)(ignore)
    router.answers(RecordPayment)(pay)
    router.answers(GetInvoice)(show)
    for task, handler in tasks:
        router.due(task)(handler)
    router.fact("kept", select(effects.c.what))
    return router


@asynccontextmanager
async def a_service_context(url: str, clock: Clock | None = None, processes: Any = None) -> AsyncIterator[ServiceContext]:
    """A service context on a database, without a replica and without a bus."""
    database = Database(make_url(url))
    try:
        yield ServiceContext("fees", database, clock or OffsetClock(), processes)
    finally:
        await database.close()


@dataclass
class Running:
    """A replica that runs in this process, and the address of its HTTP server."""

    replica: Replica
    address: str
    serving: asyncio.Task[None]

    async def stop(self) -> None:
        """Stops the replica in order, like SIGTERM."""
        self.replica.stop()
        await self.serving


class PlumbingStack:
    """A bus, one database, and replicas of the service `fees` with handlers of a test."""

    def __init__(self, bus: Bus, databases: Databases, service: str = "fees") -> None:
        self.bus = bus
        self.service = service
        self.url = databases.of(service)
        self.dialect = databases.dialect
        self.database = Database(make_url(self.url))
        self.clock = OffsetClock()
        self.key = OKPKey.generate_key("Ed25519")
        self._running: list[Running] = []
        self._clients: list[Client] = []

    async def prepare(self) -> None:
        """Creates the tables of the test and inserts the token key."""
        async with self.database.engine.begin() as connection:
            await connection.run_sync(TABLES.create_all)
        async with self.database.writing() as transaction:
            now = datetime.now(UTC)
            validity = {"not_before": now - timedelta(days=1), "not_after": now + timedelta(days=1)}
            row = {"key_id": self.key.thumbprint(), "public_key": public_jwk(self.key)} | validity
            await transaction.session.execute(insert(signing_keys).values(row))

    async def close(self) -> None:
        for running in self._running:
            if not running.serving.done():
                await running.stop()
        for client in self._clients:
            await client.close()
        await self.database.close()

    def settings(self, **changed: Any) -> Settings:
        present = {"database_url": self.url, "nats_url": self.bus.url, "nats_seed_file": self.bus.seed_file(self.service)}
        present["event_keys_file"] = self.bus.event_keys_file
        return Settings(**present | {"http_port": free_port()} | changed)

    async def replica(self, router: Router | None = None, *, ready: bool = True, **changed: Any) -> Running:
        """Starts a replica and waits until it is ready, unless `ready` is false."""
        settings = self.settings(**changed)
        replica = Replica(Service(name=self.service, router=router or a_router(), tables=TABLES), settings, self.clock)
        running = Running(replica, f"http://127.0.0.1:{settings.http_port}", asyncio.create_task(replica.serve()))
        self._running.append(running)

        async def is_ready() -> bool:
            if running.serving.done():
                await running.serving
            return not await replica.problems()

        if ready:
            await eventually(is_ready)
        return running

    async def client(self, user: str) -> Client:
        client = await self.bus.client(user)
        self._clients.append(client)
        return client

    async def asker(self, user: str = "portal", patience: float = 5.0) -> BusClient:
        return BusClient(await self.client(user), patience)

    def token(self, actor: Actor | None = None, **changed: Any) -> str:
        present = {"audience": "KH", "now": self.clock.now(), "lasts": timedelta(minutes=10)}
        return sign_token(changed.pop("key", self.key), actor or a_cashier(), **present | changed)

    async def publish(self, *events: Event, by: str = "certificates", **headers: str) -> list[UUID]:
        """Publishes signed events of their owner; returns their ids."""
        jetstream = (await self.client(by)).jetstream()
        ids = [uuid4() for _ in events]
        for event_id, event in zip(ids, events, strict=True):
            await self._publish_signed(jetstream, by, event.subject, event.model_dump_json().encode(), event_id, headers)
        return ids

    async def _publish_signed(
        self, jetstream: JetStreamContext, by: str, subject: str, body: bytes, event_id: UUID, headers: Mapping[str, str]
    ) -> None:
        signed = self.bus.signer(by).headers(subject, event_id, body)
        await jetstream.publish(subject, body, headers=signed | dict(headers))

    async def put_on_stream(self, subject: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Publishes bytes without a signature."""
        await (await self.client("certificates")).jetstream().publish(subject, body, headers=headers)

    async def announce_bytes(
        self, subject: str, body: bytes, event_id: UUID | None = None, *, by: str = "certificates", **headers: str
    ) -> UUID:
        """Publishes bytes with the signature of a service; returns the id of the message."""
        event_id = event_id or uuid4()
        jetstream = (await self.client(by)).jetstream()
        await self._publish_signed(jetstream, by, subject, body, event_id, headers)
        return event_id

    async def publish_key(self, key: OKPKey, lasts: timedelta = timedelta(days=1)) -> None:
        now = self.clock.now()
        event = SigningKeyPublished(
            version=1,
            occurred_at=now,
            key_id=key.thumbprint(),
            public_key=public_jwk(key),
            not_before=now,
            not_after=now + lasts,
        )
        await self.publish(event, by="registry")

    async def rows(self, table: Table) -> Sequence[Any]:
        async with self.database.reading() as session:
            return (await session.execute(select(table).order_by(*table.primary_key.columns))).all()

    async def effects(self) -> list[str]:
        """The rows that handlers have inserted, in order."""
        return [row.what for row in await self.rows(effects)]

    async def dead(self) -> Sequence[Any]:
        return await self.rows(dead_letters)

    async def unacknowledged(self) -> int:
        """The number of events that are not acknowledged: delivered ones and waiting ones."""
        info = await (await self.client(self.service)).jetstream().consumer_info("EVENTS", self.service)
        return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def heard(self, subject: str) -> list[Any]:
        """All messages of the stream with this subject."""
        jetstream = (await self.client("operator")).jetstream()
        found = []
        info = await jetstream.stream_info("EVENTS")
        for sequence in range(1, info.state.last_seq + 1):
            message = await jetstream.get_msg("EVENTS", sequence)
            if message.subject == subject:
                found.append(message)
        return found


@asynccontextmanager
async def a_plumbing_stack(bus: Bus, databases: Databases, service: str = "fees") -> AsyncIterator[PlumbingStack]:
    """A prepared stack. Its replicas are stopped at the end."""
    stack = PlumbingStack(bus, databases, service)
    await stack.prepare()
    try:
        yield stack
    finally:
        await stack.close()


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
