"""Events in: everything that waits is taken together, at most a hundred in one transaction, each exactly once."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from nats.aio.msg import Msg
from opentelemetry.trace import INVALID_SPAN, SpanKind
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from shared.observability import metrics
from shared.bus.connection import EVENT_ID_HEADER, TRACE_HEADER
from shared.contracts.messages import Event
from shared.database.engine import is_transient
from shared.security.event_signatures import EventKeys
from shared.workers.dead_letters import DeadLetter, store_dead_letter
from shared.workers.retries import Unreadable, delay_after, is_permanent, is_temporary
from shared.bus.pull_consumer import PullConsumer
from shared.handling.router import Reacting
from shared.database.tables import inbox
from shared.database.upserts import insert_new
from shared.observability.tracing import MESSAGE_ID, SUBJECT, bounded, span
from shared.handling.work import Work, ServiceContext, about

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReceivedEvent:
    """A readable event and the handler it is for."""

    event_id: UUID
    event: Event
    handler: Reacting
    traceparent: str | None


class EventConsumer:
    """Takes the events of one service. The bus hands them over; the inbox guards that none acts twice.

    A message that no service has signed is passed over: acknowledged, counted, logged, and kept nowhere but in the stream.
    """

    def __init__(self, handlers: Mapping[type[Event], Reacting], context: ServiceContext, keys: EventKeys) -> None:
        self._handlers = {event.subject: (event, handler) for event, handler in handlers.items()}
        self._context = context
        self._keys = keys
        self._failures: Counter[int] = Counter()
        """By their places in the stream: how often events failed on this replica while nothing was away."""

    async def run(self, puller: PullConsumer) -> None:
        """Takes what comes until told to stop; what was handed over by then is still taken."""
        while not self._context.stopping.is_set():
            if batch := await puller.next_events():
                try:
                    if genuine := await self._genuine(batch):
                        await self._take(genuine)
                except Exception:
                    log.exception("events could not be taken nor given back; the bus hands them over again")

    async def _genuine(self, batch: list[Msg]) -> list[Msg]:
        genuine: list[Msg] = []
        others: list[Msg] = []
        for message in batch:
            (genuine if self._keys.genuine_id(message) else others).append(message)
        await asyncio.gather(*(message.ack() for message in others))
        return genuine

    async def _take(self, batch: list[Msg]) -> None:
        try:
            await self._take_together(batch)
        except Exception as error:
            if len(batch) == 1:
                await self._fail(batch[0], error)
            elif isinstance(error, DBAPIError) and is_transient(error):
                await asyncio.gather(*(self._delay(message, error) for message in batch))
            else:
                for message in batch:
                    await self._take([message])
        else:
            for message in batch if self._failures else ():
                self._failures.pop(message.metadata.sequence.stream, None)
            await asyncio.gather(*(message.ack() for message in batch))

    async def _take_together(self, batch: list[Msg]) -> None:
        letters = [self._read(message) for message in batch]
        outcomes = []
        async with self._context.work(INVALID_SPAN) as work:
            new = await self._note(work, letters)
            unwritten: set[UUID | None] = set()
            for letter in letters:
                if letter.event_id not in new:
                    outcomes.append((letter.event.subject, "repeated"))
                    continue
                new.remove(letter.event_id)
                if about(letter.event) in unwritten:  # it must see what the former event about the same did
                    await work.session.flush()
                    unwritten.clear()
                unwritten.add(about(letter.event))
                await self._react(letter, work)
                outcomes.append((letter.event.subject, "done"))
        metrics.event_batch.observe(len(batch))
        for labels in outcomes:
            metrics.events.labels(*labels).inc()

    async def _note(self, work: Work, letters: list[ReceivedEvent]) -> set[UUID]:
        """Writes the inbox rows and returns which events are new here."""
        rows = [
            {
                "event_id": letter.event_id,
                "subject": letter.event.subject,
                "about": about(letter.event),
                "traceparent": letter.traceparent,
                "received_at": work.now,
            }
            for letter in letters
        ]
        inserted = await work.session.execute(insert_new(work.dialect, inbox, rows))
        return {row.event_id for row in inserted}

    async def _react(self, letter: ReceivedEvent, work: Work) -> None:
        name = type(letter.event).__name__
        with span(
            f"on {name}",
            under=letter.traceparent,
            kind=SpanKind.CONSUMER,
            attributes={SUBJECT: letter.event.subject, MESSAGE_ID: str(letter.event_id)},
        ) as opened:
            work.begin_about(letter.event, opened)
            with work.session.no_autoflush:  # effects are written together, not one statement per row
                await letter.handler(letter.event, work)

    def _read(self, message: Msg) -> ReceivedEvent:
        subject = message.subject
        try:
            event_type, handler = self._handlers[subject]
            event_id = UUID((message.headers or {})[EVENT_ID_HEADER])
            event = event_type.model_validate_json(message.data)
        except (KeyError, ValueError, ValidationError) as error:
            raise Unreadable(f"{subject}: {error}") from None
        return ReceivedEvent(event_id, event, handler, bounded((message.headers or {}).get(TRACE_HEADER)))

    async def _fail(self, message: Msg, error: Exception) -> None:
        place = message.metadata.sequence.stream
        if not is_temporary(error):
            self._failures[place] += 1
        if not is_permanent(error, self._failures[place]):
            await self._delay(message, error)
            return
        key = (message.headers or {}).get(EVENT_ID_HEADER) or f"stream-{place}"
        letter = DeadLetter(
            "event", message.subject, key, message.data, traceparent=bounded((message.headers or {}).get(TRACE_HEADER))
        )
        heard = None if isinstance(error, Unreadable) else self._read(message)
        try:
            async with self._context.work(INVALID_SPAN) as work:
                await store_dead_letter(work.session, work.dialect, letter, error, work.now)
                if heard is not None:
                    await self._note(work, [heard])  # should the acknowledgement be lost
        except Exception as worse:
            await self._delay(message, worse)
            return
        log.error(
            "an event was laid among the dead letters", extra={"subject": message.subject, "event_id": key}, exc_info=error
        )
        metrics.events.labels(message.subject, "dead").inc()
        del self._failures[place]
        await message.ack()

    async def _delay(self, message: Msg, error: Exception) -> None:
        delay = delay_after(message.metadata.num_delivered)
        log.warning(
            "an event is tried again", extra={"subject": message.subject, "delay": delay, "error": type(error).__name__}
        )
        metrics.events.labels(message.subject, "delayed").inc()
        await message.nak(delay=delay)
