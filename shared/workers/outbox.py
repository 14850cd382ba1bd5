"""The outbox relay publishes announced events to the stream and marks them as sent."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, update

from shared import hooks
from shared.bus.connection import TRACE_HEADER
from shared.bus.stream import PUBLISH_TIMEOUT, STREAM, JetStream
from shared.database.claims import claim, is_free
from shared.database.tables import outbox
from shared.handling.work import ServiceContext
from shared.observability import metrics
from shared.observability.logs import error_text
from shared.security.event_signatures import EventSigner
from shared.workers.loop import run_forever

log = logging.getLogger(__name__)

MAX_BATCH = 200
CLAIM = timedelta(seconds=10)
"""How long the claim of a row lasts. One attempt to publish takes at most half of that."""
SWEEP = 2.0
PAUSE = timedelta(seconds=5)


class OutboxRelay:
    """Publishes the outbox of one service. Replicas claim rows, so each event is normally published once."""

    def __init__(self, context: ServiceContext, jetstream: JetStream, signer: EventSigner) -> None:
        self._context = context
        self._jetstream = jetstream
        self._signer = signer

    async def run(self) -> None:
        """Publishes announced events at once. Every two seconds it also publishes those of a crashed replica."""
        await run_forever(self.publish_some, self._context.something_announced, SWEEP, self._context.stopping)

    async def publish_some(self) -> bool:
        """Publishes one batch and returns whether there may be more. Raises if the bus accepted no event of it.

        An event that the bus refuses while it accepts others is retried later and does not delay them.
        """
        rows = await self._claim()
        if not rows:
            return False
        await hooks.reached("event-claimed-not-published")
        results = await asyncio.gather(*(self._publish(row) for row in rows), return_exceptions=True)
        sent = [row.id for row, result in zip(rows, results, strict=True) if not isinstance(result, BaseException)]
        failed = [row.id for row, result in zip(rows, results, strict=True) if isinstance(result, BaseException)]
        async with self._context.database.writing() as transaction:
            mine = update(outbox).where(outbox.c.claimed_until == rows[0].claimed_until)  # not a row republished meanwhile
            await transaction.session.execute(mine.where(outbox.c.id.in_(sent)).values(sent_at=self._context.clock.now()))
            again = self._context.clock.now() + PAUSE if sent else None
            await transaction.session.execute(mine.where(outbox.c.id.in_(failed)).values(claimed_until=again))
        for row, result in zip(rows, results, strict=True):
            if isinstance(result, BaseException):
                if not sent:
                    raise result
                log.warning("an event could not be published", extra={"event_id": row.event_id, "error": error_text(result)})
        return len(rows) == MAX_BATCH

    async def _claim(self) -> list[Row[Any]]:
        now = self._context.clock.now()
        unsent = outbox.c.sent_at.is_(None) & is_free(outbox.c.claimed_until, now, CLAIM)
        rows = await claim(self._context.database, outbox, unsent, outbox.c.id, MAX_BATCH, claimed_until=now + CLAIM)
        return sorted(rows, key=lambda row: row.id)

    async def _publish(self, row: Row[Any]) -> None:
        body = row.body.encode()
        headers = self._signer.headers(row.subject, row.event_id, body)
        if row.traceparent:
            headers[TRACE_HEADER] = row.traceparent
        await hooks.reached("event-publishing")
        await self._jetstream.publish(row.subject, body, timeout=PUBLISH_TIMEOUT, stream=STREAM, headers=headers)
        await hooks.reached("event-published-not-marked")
        metrics.published.labels(row.subject).inc()
