"""Recovery: a service whose database was restored from an older backup accepts no command until an operator confirms.

It replays its own events from the stream, receives those of others again, and stores the keys that it has lost.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from opentelemetry.trace import INVALID_SPAN
from pydantic import ValidationError
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.bus.connection import TRACE_HEADER, Client
from shared.bus.pull_consumer import PullConsumer
from shared.bus.stream import PUBLISH_TIMEOUT, STREAM, StreamMessage, last_message, own_consumer, recovery_name
from shared.contracts import operations
from shared.contracts.index import events_of
from shared.contracts.messages import Event
from shared.database.tables import lost_keys, outbox, recoveries
from shared.handling.router import EventFunction, Router
from shared.handling.work import ServiceContext, Work, id_of_subject
from shared.observability.logs import error_text
from shared.observability.tracing import bounded
from shared.refusals import Refused
from shared.security.event_signatures import EventKeys, NotGenuine, skip_message

router = Router()

log = logging.getLogger(__name__)

PAUSE = 0.5
OUTBOX_COMPLETE = timedelta(days=28)
"""The age up to which the outbox contains every event that was sent."""


class NotRecovering(Refused):
    code = "not_recovering"


class NotCompared(Refused):
    code = "recovery_not_compared"


class Recovery:
    """Begins the recovery of one replica, replays its own events, and waits for the operator."""

    def __init__(
        self, context: ServiceContext, handlers: Mapping[type[Event], EventFunction], client: Client, keys: EventKeys
    ) -> None:
        self._context = context
        self._client = client
        self._jetstream = client.jetstream(timeout=PUBLISH_TIMEOUT)
        self._keys = keys
        self._events = {event.subject: event for event in events_of(context.service)}
        self._handlers = handlers

    async def begin_if_needed(self) -> None:
        """Begins a recovery if the stream contains events of this service that its database lacks."""
        lost = None if await self._open() else await self._lost_event()
        if lost:
            because = f"The stream contains an event of this service that its database lacks: {lost}."
            row = {"because": because, "began_at": self._context.clock.now()}
            async with self._context.database.writing() as transaction:
                await transaction.session.execute(insert(recoveries).values(row))
        if recovery := await self._open():
            self._context.recovering = recovery.because
            log.error("recovery began: no command is accepted until an operator confirms", extra={"because": recovery.because})

    async def _open(self) -> Row[Any] | None:
        async with self._context.database.reading() as session:
            return await open_recovery(session)

    async def _lost_event(self) -> str | None:
        for subject in self._events:
            last = await last_message(self._client, subject)
            if last is None or last.stored_at < self._context.clock.now() - OUTBOX_COMPLETE:
                continue
            try:
                event_id = self._keys.verified_id(subject, last.headers, last.data, last.stored_at)
            except NotGenuine as error:
                skip_message(subject, last.sequence, error)
                continue
            async with self._context.database.reading() as session:
                if await session.scalar(select(outbox.c.id).where(outbox.c.event_id == event_id)) is None:
                    return f"{subject} of {last.stored_at:%Y-%m-%d %H:%M:%S} UTC"
        return None

    async def read_back(self, consumer: PullConsumer) -> None:
        """Replays the service's own events, after an operator has created the consumer."""

        async def is_done() -> bool:
            recovery = await self._open()
            if recovery is None or recovery.read_back_at:
                return True
            if self._events:
                info = await self._jetstream.consumer_info(STREAM, own_consumer(self._context.service))
                if info.config.description != recovery_name(recovery.began_at):
                    return False  # the consumer is that of an earlier recovery
                while batch := await consumer.next_events():
                    await self._store_own(batch, recovery.id)
                if info.num_pending or info.num_ack_pending:
                    return False
            await self._update(recovery.id, read_back_at=self._context.clock.now())
            return True

        if self._context.recovering:
            await consumer.open()
            await self._until(is_done)

    async def confirmed(self) -> None:
        """Waits until an operator has confirmed."""

        async def is_done() -> bool:
            return await self._open() is None

        if self._context.recovering and await self._until(is_done):
            log.warning("recovery ended: an operator has confirmed")
            self._context.recovering = None

    async def _until(self, step: Callable[[], Awaitable[bool]]) -> bool:
        """Repeats a step until it returns True, also after errors. Returns False if a stop was requested before."""
        while not self._context.stopping.is_set():
            try:
                if await step():
                    return True
            except Exception as error:
                log.info("recovery waits", extra={"error": error_text(error)})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._context.stopping.wait(), PAUSE)
        return False

    async def _update(self, recovery_id: int, **values: object) -> None:
        async with self._context.database.writing() as transaction:
            await transaction.session.execute(update(recoveries).where(recoveries.c.id == recovery_id).values(values))

    async def _store_own(self, batch: list[StreamMessage], recovery_id: int) -> None:
        async with self._context.work(INVALID_SPAN) as work:
            genuine = {event_id: message for message in batch if (event_id := self._keys.genuine_id(message))}
            known = set(await work.session.scalars(select(outbox.c.event_id).where(outbox.c.event_id.in_(genuine))))
            lost = {event_id: message for event_id, message in genuine.items() if event_id not in known}
            for event_id, message in lost.items():
                await self._store(event_id, message, work)
            more = recoveries.c.read_back + len(lost)
            await work.session.execute(update(recoveries).where(recoveries.c.id == recovery_id).values(read_back=more))
        await asyncio.gather(*(message.ack() for message in batch))

    async def _store(self, event_id: UUID, message: StreamMessage, work: Work) -> None:
        event_type = self._events[message.subject]
        try:
            event = event_type.model_validate_json(message.data)
        except ValidationError:
            skip_message(message.subject, message.metadata.sequence.stream, NotGenuine("its content cannot be read"))
            return
        headers, sent_at = message.headers or {}, message.metadata.timestamp
        row = {
            "event_id": event_id,
            "subject": message.subject,
            "body": message.data.decode(),
            "about": id_of_subject(event),
            "traceparent": bounded(headers.get(TRACE_HEADER)),
            "recorded_at": sent_at,
            "sent_at": sent_at,
        }
        await work.session.execute(insert(outbox).values(row))
        if handler := self._handlers.get(event_type):
            work.begin(event, INVALID_SPAN)
            await handler(event, work)


async def open_recovery(session: AsyncSession) -> Row[Any] | None:
    """The recovery in progress, or None."""
    unconfirmed = select(recoveries).where(recoveries.c.confirmed_at.is_(None)).order_by(recoveries.c.id.desc()).limit(1)
    return (await session.execute(unconfirmed)).first()


@router.answers(operations.AskRecovery)
async def ask_recovery(question: operations.AskRecovery, work: Work) -> operations.Recovery:
    """Returns whether the service is in recovery, and its progress."""
    return _answer(work.service, await open_recovery(work.session))


@router.answers(operations.LearnLostKeys)
async def learn_lost_keys(command: operations.LearnLostKeys, work: Work) -> operations.Learned:
    """Stores the keys that other services know and this one has lost."""
    recovery = await _must_have_read_back(work)
    rows = [{"fact": command.fact, "key": key, "recovery_id": recovery.id} for key in command.keys]
    new = await work.insert_new(lost_keys, rows)
    if on_lost_keys := work.use(Router).lost_keys.get(command.fact):
        await on_lost_keys(command.keys, work)
    await work.session.execute(update(recoveries).where(recoveries.c.id == recovery.id).values(compared_at=work.now))
    return operations.Learned(learned=len(new))


@router.answers(operations.ConfirmRecovery)
async def confirm_recovery(command: operations.ConfirmRecovery, work: Work) -> operations.Recovery:
    """Ends the recovery."""
    recovery = await _must_have_read_back(work)
    if recovery.compared_at is None:
        raise NotCompared()
    unconfirmed = update(recoveries).where(recoveries.c.confirmed_at.is_(None))
    await work.session.execute(unconfirmed.values(confirmed_at=work.now))
    return _answer(work.service, None)


async def _must_have_read_back(work: Work) -> Row[Any]:
    recovery = await open_recovery(work.session)
    if recovery is None:
        raise NotRecovering()
    if recovery.read_back_at is None:
        raise NotCompared()
    return recovery


def _answer(service: str, recovery: Row[Any] | None) -> operations.Recovery:
    if recovery is None:
        return operations.Recovery(service=service, recovering=False)
    return operations.Recovery(
        service=service,
        recovering=True,
        because=recovery.because,
        began_at=recovery.began_at,
        copy_taken_at=recovery.copy_taken_at,
        read_back=recovery.read_back if recovery.read_back_at else None,
        compared_at=recovery.compared_at,
    )
