"""The event consumer: handles up to 100 waiting events in one transaction, and each event exactly once."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from opentelemetry.trace import INVALID_SPAN, SpanKind
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from shared import hooks
from shared.bus.connection import EVENT_ID_HEADER, TRACE_HEADER
from shared.bus.pull_consumer import PullConsumer
from shared.bus.stream import StreamMessage
from shared.contracts.messages import Event
from shared.database.engine import is_transient
from shared.database.tables import inbox
from shared.handling.router import EventFunction
from shared.handling.work import ServiceContext, Work, id_of_subject
from shared.observability import metrics
from shared.observability.tracing import MESSAGE_ID, SUBJECT, bounded, span
from shared.security.event_signatures import EventKeys
from shared.workers.dead_letters import DeadLetter, store_dead_letter
from shared.workers.retries import Unreadable, delay_after, is_permanent, is_temporary

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ReceivedEvent:
    """A readable event and its handler."""

    event_id: UUID
    event: Event
    handler: EventFunction
    traceparent: str | None


class EventConsumer:
    """Handles the events of one service. The inbox ensures that no event takes effect twice.

    A message without a valid signature is acknowledged, counted and logged, but not stored.
    """

    def __init__(self, handlers: Mapping[type[Event], EventFunction], context: ServiceContext, keys: EventKeys) -> None:
        self._handlers = {event.subject: (event, handler) for event, handler in handlers.items()}
        self._context = context
        self._keys = keys
        self._failures: Counter[int] = Counter()
        """By stream sequence: how often an event failed on this replica, without temporary errors."""

    async def run(self, consumer: PullConsumer) -> None:
        """Handles events until a stop is requested, and finishes the batch that was delivered before."""
        while not self._context.stopping.is_set():
            if batch := await consumer.next_events():
                try:
                    if genuine := await self._genuine(batch):
                        await self._handle_batch(genuine)
                except Exception:
                    log.exception("events could neither be handled nor returned; the bus redelivers them")

    async def _genuine(self, batch: list[StreamMessage]) -> list[StreamMessage]:
        genuine: list[StreamMessage] = []
        others: list[StreamMessage] = []
        for message in batch:
            (genuine if self._keys.genuine_id(message) else others).append(message)
        await asyncio.gather(*(message.ack() for message in others))
        return genuine

    async def _handle_batch(self, batch: list[StreamMessage]) -> None:
        try:
            await self._handle_together(batch)
            await hooks.reached("event-committed-not-acknowledged")
        except Exception as error:
            if len(batch) == 1:
                await self._fail(batch[0], error)
            elif isinstance(error, DBAPIError) and is_transient(error):
                await asyncio.gather(*(self._delay(message, error) for message in batch))
            else:
                for message in batch:
                    await self._handle_batch([message])
        else:
            for message in batch if self._failures else ():
                self._failures.pop(message.metadata.sequence.stream, None)
            await asyncio.gather(*(message.ack() for message in batch))

    async def _handle_together(self, batch: list[StreamMessage]) -> None:
        received = [self._read(message) for message in batch]
        outcomes = []
        async with self._context.work(INVALID_SPAN) as work:
            new = await self._record(work, received)
            unflushed: set[UUID | None] = set()
            for each in received:
                if each.event_id not in new:
                    outcomes.append((each.event.subject, "repeated"))
                    continue
                new.remove(each.event_id)
                subject_id = id_of_subject(each.event)
                if subject_id in unflushed:  # its handler must see the effects of the former event about this subject
                    await work.session.flush()
                    unflushed.clear()
                unflushed.add(subject_id)
                await self._handle(each, work)
                outcomes.append((each.event.subject, "done"))
        metrics.event_batch.observe(len(batch))
        for labels in outcomes:
            metrics.events.labels(*labels).inc()

    async def _record(self, work: Work, received: list[ReceivedEvent]) -> set[UUID]:
        """Inserts the inbox rows and returns the ids of the new events."""
        rows = [
            {
                "event_id": each.event_id,
                "subject": each.event.subject,
                "about": id_of_subject(each.event),
                "traceparent": each.traceparent,
                "received_at": work.now,
            }
            for each in received
        ]
        return {row.event_id for row in await work.insert_new(inbox, rows)}

    async def _handle(self, received: ReceivedEvent, work: Work) -> None:
        name, subject = type(received.event).__name__, received.event.subject
        with span(
            f"on {name}",
            under=received.traceparent,
            kind=SpanKind.CONSUMER,
            attributes={SUBJECT: subject, MESSAGE_ID: str(received.event_id)},
        ) as opened:
            work.begin(received.event, opened)
            with work.session.no_autoflush:  # rows are written together, not in one statement each
                await received.handler(received.event, work)
        await hooks.reached("event-before-commit", subject)

    def _read(self, message: StreamMessage) -> ReceivedEvent:
        subject = message.subject
        try:
            event_type, handler = self._handlers[subject]
            event_id = UUID((message.headers or {})[EVENT_ID_HEADER])
            event = event_type.model_validate_json(message.data)
        except (KeyError, ValueError, ValidationError) as error:
            raise Unreadable(f"{subject}: {error}") from None
        return ReceivedEvent(event_id=event_id, event=event, handler=handler, traceparent=_traceparent_of(message))

    async def _fail(self, message: StreamMessage, error: Exception) -> None:
        sequence = message.metadata.sequence.stream
        if not is_temporary(error):
            self._failures[sequence] += 1
        if not is_permanent(error, self._failures[sequence]):
            await self._delay(message, error)
            return
        try:
            key = await self._give_up(message, error)
        except Exception as worse:
            await self._delay(message, worse)
            return
        extra = {"subject": message.subject, "event_id": key}
        log.error("an event failed permanently and is now a dead letter", extra=extra, exc_info=error)
        metrics.events.labels(message.subject, "dead").inc()
        del self._failures[sequence]
        await message.ack()

    async def _give_up(self, message: StreamMessage, error: Exception) -> str:
        key = (message.headers or {}).get(EVENT_ID_HEADER) or f"stream-{message.metadata.sequence.stream}"
        letter = DeadLetter(
            kind="event", name=message.subject, key=key, body=message.data, traceparent=_traceparent_of(message)
        )
        received = None if isinstance(error, Unreadable) else self._read(message)
        async with self._context.work(INVALID_SPAN) as work:
            await store_dead_letter(work.session, letter, error, work.now)
            if received is not None:
                await self._record(work, [received])  # a redelivery after a lost acknowledgement changes nothing
        return key

    async def _delay(self, message: StreamMessage, error: Exception) -> None:
        delay = delay_after(message.metadata.num_delivered)
        log.warning(
            "an event will be retried", extra={"subject": message.subject, "delay": delay, "error": type(error).__name__}
        )
        metrics.events.labels(message.subject, "delayed").inc()
        await message.nak(delay=delay)


def _traceparent_of(message: StreamMessage) -> str | None:
    return bounded((message.headers or {}).get(TRACE_HEADER))
