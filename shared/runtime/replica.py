"""A service: its name, its handlers, its tables and what it needs; and a replica of it, which runs."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import Any

import nkeys
from nats.errors import Error as NatsError
from opentelemetry.trace import INVALID_SPAN
from pydantic import ValidationError
from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError
from starlette.routing import BaseRoute

from shared.workers.requests import RequestHandler
from shared.bus.broker import broker_of
from shared.bus.stream import PUBLISH_TIMEOUT, STREAM, own_consumer
from shared.bus.connection import log_error
from shared.clock import Clock
from shared.contracts.index import events_heard_by
from shared.contracts.messages import Event
from shared.database.engine import Database, take_turns
from shared.security.event_signatures import EventKeys, EventSigner
from shared.workers.retries import delay_after
from shared.security.tokens import Tokens
from shared.workers.events import EventConsumer
from shared.observability.logs import start_logs
from shared.database.migrations.schema import SchemaMismatch, check_schema, migrate
from shared.operations.retention import leave_pruning
from shared.operations.dead_letters import plumbing_of
from shared.runtime.process_pool import ProcessPool
from shared.bus.pull_consumer import PullConsumer
from shared.operations.recovery import Recovery
from shared.workers.outbox import OutboxRelay
from shared.runtime.http_server import HttpServer, application
from shared.handling.router import Reacting, Router
from shared.audit_log.sealing import leave_sealing
from shared.settings import DatabaseSettings, Settings, SettingsWrong, read
from shared.runtime.startup import SEED_REFUSED, WAITED_FOR, check_clock, is_unknown_to_bus, time_of_bus, time_of_database, waiting_for
from shared.workers.tasks import TaskRunner
from shared.observability.tracing import start_tracing
from shared.handling.work import ServiceContext

log = logging.getLogger(__name__)

AT_ONCE = 32
"""Requests of one class that a replica handles side by side."""
GRACE = 20.0
"""Seconds in which a replica that is told to stop finishes what it has begun."""


@dataclass(frozen=True)
class Service:
    """What makes a service: everything else is plumbing.

    `equip` builds, once per replica, the objects that handlers take with `work.use(Kind)`.
    """

    name: str
    router: Router
    tables: MetaData
    settings: type[Settings] = Settings
    equip: Callable[..., Iterable[object]] = lambda settings: ()
    routes: Sequence[BaseRoute] = field(default_factory=tuple)


def run(service: Service) -> None:
    """The whole of a service's `__main__`: `serve`, the default, or `migrate`."""
    what = sys.argv[1] if len(sys.argv) > 1 else "serve"
    if what not in ("serve", "migrate"):
        sys.exit(f"{service.name}: there is no {what!r}; say serve or migrate")
    try:
        settings = read(DatabaseSettings if what == "migrate" else service.settings)
        start_logs(service.name, settings.country, settings.log_level)
        if isinstance(settings, Settings):
            asyncio.run(Replica(service, settings).serve())
        else:
            migrate(service.name, settings.database)
    except SettingsWrong as error:
        sys.exit(f"{service.name}: {error}")
    except (DBAPIError, OSError) as error:
        if what == "serve" or (why := waiting_for("nothing is migrated without the database", error)) is None:
            raise
        log.critical(why)
        sys.exit(4)
    except SchemaMismatch as error:
        log.critical(str(error))
        sys.exit(3)


class Replica:
    """One running process of a service."""

    def __init__(self, service: Service, settings: Settings, clock: Clock | None = None) -> None:
        self.name = service.name
        self.started_at = datetime.now(UTC)
        self._settings = settings
        self._processes = ProcessPool()
        self._database = Database(settings.database)
        self.dialect = self._database.dialect
        self.context = ServiceContext(
            self.name, self._database, clock or Clock(settings.zone), self._processes, service.equip(settings), settings.country
        )
        self.router = Router()
        self.router.include(plumbing_of(self))
        self.router.include(service.router)
        self._must_listen_to_what_is_permitted()

        self.broker = broker_of(self.name, settings, self._on_bus_error)
        self._event_keys = _event_keys_of(settings, self.name, self.key)
        self._tokens = Tokens(settings.country)
        self._listener = EventConsumer(self.router.listening, self.context, self._event_keys)
        self._tasks = TaskRunner(self.router.doing, self.context)
        self._rim = HttpServer(application(self.context, self.problems, service.routes, self.events_waiting), settings)
        self._stopping = asyncio.Event()
        self._state: str | None = "starting"
        self._connecting = self._is_unknown_to_bus = False

    def _must_listen_to_what_is_permitted(self) -> None:
        permitted = set(events_heard_by(self.name))
        listening = set(self.router.listening)
        if permitted != listening:
            names = ", ".join(sorted(event.__name__ for event in permitted ^ listening))
            raise ValueError(f"{self.name} must handle exactly the events whose `listeners` name it; see {names}")

    @cached_property
    def key(self) -> nkeys.KeyPair:
        """The service's own key on the bus; it signs its events and the seals of its trail too."""
        return nkeys.from_seed(self._settings.nats_seed_file.read_bytes().strip())

    def listens_to(self, subject: str) -> tuple[type[Event], Reacting]:
        """The event of a subject and its handler. Raises KeyError."""
        return next((event, handler) for event, handler in self.router.listening.items() if event.subject == subject)

    async def serve(self) -> None:
        """Runs until SIGTERM or SIGINT, then finishes what it has begun. Raises SchemaMismatch."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        telemetry = start_tracing(self.name, self._settings.country, self._settings.spans_dir)
        told = asyncio.create_task(self._stopping.wait())
        rim = asyncio.create_task(self._rim.serve())
        start = asyncio.create_task(self._start())
        try:
            if await self._first_of(told, rim, start):
                listening = asyncio.create_task(self._listen())
                loops = [asyncio.create_task(self._once_recovered(loop)) for loop in (self._tasks.run, self._relay.run)]
                self._state = None
                log.info("ready")
                await self._first_of(told, rim, listening, *loops)
                await self._finish(listening, loops)
        finally:
            start.cancel()
            await asyncio.gather(start, return_exceptions=True)
            self._rim.stop()
            await asyncio.wait({rim}, timeout=5)
            await self.context.close()
            self._processes.shutdown()
            telemetry.shutdown()
        log.info("stopped")

    async def _listen(self) -> None:
        await self._recovery.read_back(self._own_events)
        await self._listener.run(self._puller)

    async def _once_recovered(self, loop: Callable[[], Awaitable[None]]) -> None:
        await self._recovery.confirmed()
        await loop()

    async def _first_of(self, told: asyncio.Task[Any], *steps: asyncio.Task[Any]) -> bool:
        """Waits for the first to end; raises its error, and says whether to go on."""
        done, _ = await asyncio.wait({told, *steps}, return_when=asyncio.FIRST_COMPLETED)
        for step in done:
            step.result()
        return told not in done

    async def _start(self) -> None:
        await self._wait_for("the database", self._check_database)
        await self._wait_for("the first work", self._first_work)
        self._state = "waiting for the bus"
        self._connecting = True
        client = await self.broker.connect()
        self._connecting = False
        self._jetstream = client.jetstream(timeout=PUBLISH_TIMEOUT)
        self._puller = PullConsumer(client, self.name)
        self._own_events = PullConsumer(client, own_consumer(self.name))
        self._relay = OutboxRelay(self.context, self._jetstream, EventSigner(self.key))
        self._recovery = Recovery(self.context, self.router.reading_back, self._jetstream, self._event_keys)
        await self._wait_for("the bus", lambda: check_clock(self.context.clock, "bus", lambda: time_of_bus(client, self.name)))
        await self._wait_for("what it has announced", self._recovery.look)
        await self._puller.open()
        await self._subscribe()

    async def _wait_for(self, what: str, step: Callable[[], Awaitable[Any]]) -> None:
        self._state = f"waiting for {what}"
        for tries in count(1):
            try:
                await step()
                return
            except WAITED_FOR as error:
                if (waited := waiting_for(what, error)) is None:
                    raise
                self._say_waiting(waited)
                await asyncio.sleep(min(delay_after(tries), 2.0))

    def _say_waiting(self, waited: str) -> None:
        before, self._state = self._state, f"waiting for {waited}"
        if self._state != before:  # once, not with every try
            log.warning(self._state)

    async def _on_bus_error(self, error: Exception) -> None:
        """The connection reports a trouble, and goes on trying."""
        if self._is_unknown_to_bus and isinstance(error, ConnectionResetError | BrokenPipeError):
            return  # refused again, and cut off before that could be read
        self._is_unknown_to_bus = is_unknown_to_bus(error)
        if self._connecting:
            self._say_waiting(waiting_for("the bus", error) or f"the bus: {type(error).__name__}")
        else:
            await log_error(error)

    async def _check_database(self) -> None:
        async with self._database.engine.connect() as connection:
            await connection.run_sync(check_schema, self.name)
        await check_clock(self.context.clock, "database", lambda: time_of_database(self._database))

    async def _first_work(self) -> None:
        async with self.context.work(INVALID_SPAN) as work:
            await take_turns(work.session, work.dialect)  # replicas may start at once
            leave_pruning(work, work.now)
            await leave_sealing(work, work.now)
            for step in self.router.first:
                await step(work)

    async def _subscribe(self) -> None:
        for request, handler in self.router.answering.items():
            answerer = RequestHandler(request, handler, self.context, self._tokens)
            subject = request.subject.format(service=self.name)
            self.broker.subscriber(subject, queue=self.name, max_workers=AT_ONCE)(answerer.answer)
        await self.broker.start()

    async def _finish(self, listening: asyncio.Task[None], loops: list[asyncio.Task[None]]) -> None:
        """Takes nothing new, finishes what has begun, gives the rest back, and tells the bus what is left to tell."""
        self._state = "stopping"
        self.context.stop()
        await asyncio.gather(*map(_drain, self.broker.subscribers))
        await asyncio.wait({listening, *loops}, timeout=GRACE)
        await self._tasks.finish(GRACE)
        if not self.context.recovering:
            with suppress(Exception):
                await asyncio.wait_for(self._relay.publish_some(), 5)
        with suppress(NatsError, TimeoutError):
            await asyncio.wait_for(self.broker.stop(), 5)

    async def events_waiting(self) -> tuple[int, int]:
        """How many events wait in the stream, and how many are handed over and not yet acknowledged."""
        info = await self._jetstream.consumer_info(STREAM, self.name)
        return info.num_pending or 0, info.num_ack_pending or 0

    async def problems(self) -> list[str]:
        """What stands between this replica and its work, in plain words; empty when all is well."""
        found = [self._state] if self._state else []
        if because := self.context.recovering:
            found.append(f"in recovery, run `co recover {self.name}`: {because}")
        try:
            async with asyncio.timeout(2), self._database.reading() as session:
                await session.execute(text("SELECT 1"))
        except Exception as error:
            found.append(f"the database does not answer ({type(error).__name__})")
        if self._state is None and not await self.broker.ping(timeout=2):
            found.append(f"the bus: {SEED_REFUSED}" if self._is_unknown_to_bus else "the bus does not answer")
        return found


def _event_keys_of(settings: Settings, service: str, key: nkeys.KeyPair) -> EventKeys:
    try:
        keys = EventKeys(settings.event_keys_file)
        keys.must_know(service, key.public_key.decode())
    except ValidationError:
        raise SettingsWrong.because("CO_EVENT_KEYS_FILE (it holds no keys of services)") from None
    except ValueError as error:
        raise SettingsWrong.because(f"CO_EVENT_KEYS_FILE ({error}; hand it out anew)") from None
    return keys


async def _drain(subscriber: Any) -> None:
    """Asks the bus for no more, and waits until what it has sent already is handled."""
    subscription, subscriber.subscription = subscriber.subscription, None
    if subscription is not None:
        with suppress(NatsError, TimeoutError):
            await asyncio.wait_for(subscription.drain(), 5)
    subscriber.send_stream.close()  # `subscriber.stop()` would drop the messages that still wait for a hand
    if subscriber.tasks:
        await asyncio.wait(subscriber.tasks, timeout=GRACE)
