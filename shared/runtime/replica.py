"""A replica: one running process of a service."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any

import nkeys
from opentelemetry.trace import INVALID_SPAN
from pydantic import ValidationError
from sqlalchemy import text

from shared.audit_log import sealing
from shared.bus.broker import broker_of, drain
from shared.bus.connection import BusError, log_error
from shared.bus.pull_consumer import PullConsumer
from shared.bus.stream import PUBLISH_TIMEOUT, STREAM, own_consumer
from shared.clock import Clock
from shared.contracts.index import events_heard_by
from shared.database.engine import Database, lock_start
from shared.database.migrations.schema import check_schema
from shared.handling.router import Router
from shared.handling.work import ServiceContext
from shared.observability.tracing import start_tracing
from shared.operations import consistency, dead_letters, health, recovery, replay, retention
from shared.runtime.http_server import application
from shared.runtime.process_pool import ProcessPool
from shared.runtime.service import Service
from shared.runtime.startup import (
    SEED_REFUSED,
    WAITED_FOR,
    check_clock,
    is_unknown_to_bus,
    time_of_bus,
    time_of_database,
    waiting_for,
)
from shared.security import revocations, signing_keys
from shared.security.event_signatures import EventKeys, EventSigner
from shared.security.tokens import Tokens
from shared.settings import Settings, SettingsWrong
from shared.workers.events import EventConsumer
from shared.workers.outbox import OutboxRelay
from shared.workers.requests import RequestHandler
from shared.workers.retries import delay_after
from shared.workers.tasks import TaskRunner

log = logging.getLogger(__name__)

MAX_CONCURRENT = 32
"""Requests of one class that a replica handles at the same time."""
GRACE = 20.0
"""Seconds that a stopping replica has to finish its work in progress."""

PLUMBING = (sealing, consistency, dead_letters, health, recovery, replay, retention, revocations, signing_keys)
"""The modules with the handlers that every service has."""


class Replica:
    """One running process of a service."""

    def __init__(self, service: Service, settings: Settings, clock: Clock | None = None) -> None:
        self.name, self._settings = service.name, settings
        self.started_at = datetime.now(UTC)
        self.broker = broker_of(self.name, settings, self._on_bus_error)
        self._key = nkeys.from_seed(settings.nats_seed_file.read_bytes().strip())
        self._processes = ProcessPool()
        self._database = Database(settings.database)
        clock, tools = clock or Clock(settings.zone), service.tools(settings)
        self.context = ServiceContext(self.name, self._database, clock, self._processes, tools, settings.country)
        self.router = Router()
        for module in PLUMBING:
            self.router.include(module.router)
        self.router.include(service.router)
        self.context.add(self.router)
        self.context.add(sealing.SealingKey(self._key))
        self.context.add(health.HealthCheck(self.started_at, self.problems, self.events_waiting))
        self._check_listeners()

        self._event_keys = _event_keys_of(settings, self.name, self._key)
        self._tokens = Tokens(settings.country)
        self._events = EventConsumer(self.router.events, self.context, self._event_keys)
        self._tasks = TaskRunner(self.router.tasks, self.context)
        self._http = service.server(application(self.context, service.routes), settings)
        self._stopping = asyncio.Event()
        self._state: str | None = "starting"
        self._connecting = self._is_unknown_to_bus = False

    def _check_listeners(self) -> None:
        permitted, handled = set(events_heard_by(self.name)), set(self.router.events)
        if permitted != handled:
            names = ", ".join(sorted(event.__name__ for event in permitted ^ handled))
            raise ValueError(f"{self.name} must handle exactly the events whose `listeners` name it; see {names}")

    async def serve(self) -> None:
        """Runs until SIGTERM or SIGINT, then finishes its work in progress. Raises SchemaMismatch."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        tracing = start_tracing(self.name, self._settings.country, self._settings.spans_dir)
        stop_requested = asyncio.create_task(self._stopping.wait())
        http = asyncio.create_task(self._http.serve())
        start = asyncio.create_task(self._start())
        try:
            if await self._first_of(stop_requested, http, start):
                events = asyncio.create_task(self._consume_events())
                loops = [asyncio.create_task(self._once_recovered(loop)) for loop in (self._tasks.run, self._relay.run)]
                self._state = None
                log.info("ready")
                await self._first_of(stop_requested, http, events, *loops)
                await self._finish(events, loops)
        finally:
            for _ in range(5):  # nats-py may lose a cancellation while it connects
                start.cancel()
                await asyncio.wait({start}, timeout=1)
            self.context.stop()  # also if it never became ready: open streams end
            self._http.stop()
            await asyncio.wait({http}, timeout=5)
            await self.context.close()
            self._processes.shutdown()
            tracing.shutdown()
        log.info("stopped")

    def stop(self) -> None:
        """Requests a stop, as SIGTERM does."""
        self._stopping.set()

    async def _consume_events(self) -> None:
        await self._recovery.read_back(self._own_events)
        await self._events.run(self._consumer)

    async def _once_recovered(self, loop: Callable[[], Awaitable[None]]) -> None:
        await self._recovery.confirmed()
        await loop()

    async def _first_of(self, stop_requested: asyncio.Task[Any], *steps: asyncio.Task[Any]) -> bool:
        """Waits until one step ends, and raises its error. Returns False if a stop was requested."""
        done, _ = await asyncio.wait({stop_requested, *steps}, return_when=asyncio.FIRST_COMPLETED)
        for step in done:
            step.result()
        return stop_requested not in done

    async def _start(self) -> None:
        await self._wait_for("the database", self._check_database)
        await self._wait_for("the first transaction", self._first_work)
        self._state = "waiting for the bus"
        self._connecting = True
        client = await self.broker.connect()
        self._connecting = False
        self._jetstream = client.jetstream(timeout=PUBLISH_TIMEOUT)
        self._consumer = PullConsumer(client, self.name)
        self._own_events = PullConsumer(client, own_consumer(self.name))
        self._relay = OutboxRelay(self.context, self._jetstream, EventSigner(self._key))
        self._recovery = recovery.Recovery(self.context, self.router.replay, client, self._event_keys)
        await self._wait_for("the bus", lambda: check_clock(self.context.clock, "bus", lambda: time_of_bus(client, self.name)))
        await self._wait_for("its announced events", self._recovery.begin_if_needed)
        await self._consumer.open()
        await self._subscribe()

    async def _wait_for(self, what: str, step: Callable[[], Awaitable[Any]]) -> None:
        self._state = f"waiting for {what}"
        for attempt in count(1):
            try:
                await step()
                return
            except WAITED_FOR as error:
                if (reason := waiting_for(what, error)) is None:
                    raise
                self._report_waiting(reason)
                await asyncio.sleep(min(delay_after(attempt), 2.0))

    def _report_waiting(self, reason: str) -> None:
        before, self._state = self._state, f"waiting for {reason}"
        if self._state != before:  # log once, not at every attempt
            log.warning(self._state)

    async def _on_bus_error(self, error: Exception) -> None:
        """Logs an error of the connection. The client reconnects automatically."""
        if self._is_unknown_to_bus and isinstance(error, ConnectionResetError | BrokenPipeError):
            return  # refused again; the connection was closed before the reason arrived
        self._is_unknown_to_bus = is_unknown_to_bus(error)
        if self._connecting:
            self._report_waiting(waiting_for("the bus", error) or f"the bus: {type(error).__name__}")
        else:
            await log_error(error)

    async def _check_database(self) -> None:
        async with self._database.engine.connect() as connection:
            await connection.run_sync(check_schema, self.name)
        await check_clock(self.context.clock, "database", lambda: time_of_database(self._database))

    async def _first_work(self) -> None:
        async with self.context.work(INVALID_SPAN) as work:
            await lock_start(work.session)  # replicas may start at the same time
            await self._tasks.enqueue_repeating(work)
            for step in self.router.start:
                await step(work)

    async def _subscribe(self) -> None:
        for request, function in self.router.requests.items():
            handler = RequestHandler(request, function, self.context, self._tokens)
            subject = request.subject.format(service=self.name)
            self.broker.subscriber(subject, queue=self.name, max_workers=MAX_CONCURRENT)(handler.answer)
        await self.broker.start()

    async def _finish(self, events: asyncio.Task[None], loops: list[asyncio.Task[None]]) -> None:
        """Accepts no new work, finishes the work in progress, returns the rest, and publishes the outbox."""
        self._state = "stopping"
        self.context.stop()
        await drain(self.broker, GRACE)
        await asyncio.wait({events, *loops}, timeout=GRACE)
        await self._tasks.finish(GRACE)
        if not self.context.recovering:
            with suppress(Exception):
                await asyncio.wait_for(self._publish_rest(), 5)
        with suppress(BusError, TimeoutError):
            await asyncio.wait_for(self.broker.stop(), 5)

    async def _publish_rest(self) -> None:
        while await self._relay.publish_some():
            pass

    async def events_waiting(self) -> tuple[int, int]:
        """The number of events that wait in the stream, and the number of delivered but unacknowledged events."""
        info = await self._jetstream.consumer_info(STREAM, self.name)
        return info.num_pending or 0, info.num_ack_pending or 0

    async def problems(self) -> list[str]:
        """The problems that stop this replica from working, as sentences for an operator; empty if it works."""
        found = [self._state] if self._state else []
        if reason := self.context.recovering:
            found.append(f"in recovery, run `co recover {self.name}`: {reason}")
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
        raise SettingsWrong.because("CO_EVENT_KEYS_FILE (it contains no keys of services)") from None
    except ValueError as error:
        raise SettingsWrong.because(f"CO_EVENT_KEYS_FILE ({error}; distribute it again)") from None
    return keys
