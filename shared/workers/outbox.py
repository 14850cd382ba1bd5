"""Events out: what was written to the outbox with its cause is published, and marked as sent when the bus has it."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

from nats.js import JetStreamContext
from sqlalchemy import Row, exists, or_, select, update

from shared.observability import metrics
from shared.bus.stream import PUBLISH_TIMEOUT, STREAM
from shared.bus.connection import TRACE_HEADER
from shared.clock import MAX_CLOCK_SKEW
from shared.security.event_signatures import EventSigner
from shared.observability.logs import error_text
from shared.workers.loop import run_forever
from shared.database.tables import outbox
from shared.handling.work import ServiceContext

log = logging.getLogger(__name__)

MAX_BATCH = 200
CLAIM = timedelta(seconds=10)
"""For how long a replica may publish what it has claimed; one attempt takes half of that at most."""
SWEEP = 2.0
PAUSE = timedelta(seconds=5)


class OutboxRelay:
    """Publishes the outbox of one service. Replicas claim rows, so that each is normally published once."""

    def __init__(self, context: ServiceContext, jetstream: JetStreamContext, signer: EventSigner) -> None:
        self._context = context
        self._jetstream = jetstream
        self._signer = signer

    async def run(self) -> None:
        """Publishes whatever is announced, at once; and every two seconds what a dead replica left behind."""
        await run_forever(self.publish_some, self._context.something_announced, SWEEP, self._context.stopping)

    async def publish_some(self) -> bool:
        """Publishes one lot; says whether there may be more. Raises where the bus took nothing of it.

        An event that the bus does not take while it takes others waits a moment and does not hold them up.
        """
        rows = await self._claim()
        if not rows:
            return False
        results = await asyncio.gather(*(self._publish(row) for row in rows), return_exceptions=True)
        sent = [row.id for row, result in zip(rows, results, strict=True) if not isinstance(result, BaseException)]
        failed = [row.id for row, result in zip(rows, results, strict=True) if isinstance(result, BaseException)]
        async with self._context.database.writing() as transaction:
            mine = update(outbox).where(outbox.c.claimed_until == rows[0].claimed_until)  # else it is to be published anew
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
        claimed = outbox.c.claimed_until.between(now, now + CLAIM + MAX_CLOCK_SKEW)
        unsent = outbox.c.sent_at.is_(None) & or_(outbox.c.claimed_until.is_(None), ~claimed)
        async with self._context.database.reading() as session:
            if not await session.scalar(select(exists().where(unsent))):
                return []
        next_ones = (
            select(outbox.c.id).where(unsent).order_by(outbox.c.id).limit(MAX_BATCH).with_for_update(skip_locked=True)
        )
        claim = update(outbox).where(outbox.c.id.in_(next_ones)).values(claimed_until=now + CLAIM).returning(outbox)
        async with self._context.database.writing() as transaction:
            return sorted((await transaction.session.execute(claim)).all(), key=lambda row: row.id)

    async def _publish(self, row: Row[Any]) -> None:
        body = row.body.encode()
        headers = self._signer.headers(row.subject, row.event_id, body)
        if row.traceparent:
            headers[TRACE_HEADER] = row.traceparent
        await self._jetstream.publish(row.subject, body, timeout=PUBLISH_TIMEOUT, stream=STREAM, headers=headers)
        metrics.published.labels(row.subject).inc()
