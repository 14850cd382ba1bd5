"""The outbox relay publishes announced events to the stream and marks them as sent."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

from sqlalchemy import bindparam, update

from shared import hooks
from shared.bus.connection import TRACE_HEADER
from shared.bus.stream import PUBLISH_TIMEOUT, STREAM, JetStream
from shared.database.claims import OUTBOX_CLAIM, Claims
from shared.database.tables import outbox
from shared.handling.to_publish import OutboxRow
from shared.handling.work import ServiceContext
from shared.observability import metrics
from shared.observability.logs import error_text
from shared.security.event_signatures import EventSigner
from shared.workers.loop import run_forever

log = logging.getLogger(__name__)

MAX_BATCH = 200
SWEEP = 2.0
"""Seconds between two searches of the outbox for events that no replica has in memory."""
PAUSE = timedelta(seconds=5)

CLAIMS = Claims(outbox, outbox.c.claimed_until, outbox.c.sent_at.is_(None), outbox.c.id, claimed_until=bindparam("until"))
# a row that was republished meanwhile has lost this claim
_MINE = (outbox.c.event_id == bindparam("of_event"), outbox.c.claimed_until == bindparam("of_claim"))
_SENT = update(outbox).where(*_MINE).values(sent_at=bindparam("at"))
_FAILED = update(outbox).where(*_MINE).values(claimed_until=bindparam("again"))


class OutboxRelay:
    """Publishes the outbox of one service.

    A replica claims the events that it announces in the transaction that announces them, and publishes them from memory. So
    each event is normally published once. After a crash another replica finds it in the outbox when the claim has expired.
    """

    def __init__(self, context: ServiceContext, jetstream: JetStream, signer: EventSigner) -> None:
        self._context = context
        self._jetstream = jetstream
        self._signer = signer
        self._sweep_at = 0.0

    async def run(self) -> None:
        """Publishes announced events at once. Every two seconds it also publishes those of a crashed replica."""
        await run_forever(self.publish_some, self._context.to_publish.arrived, SWEEP, self._context.stopping)

    async def publish_some(self) -> bool:
        """Publishes one batch and returns whether there may be more. Raises if the bus accepted no event of it.

        An event that the bus refuses while it accepts others is retried later and does not delay them.
        """
        rows = await self._left_by_others() or self._context.to_publish.take(MAX_BATCH, self._context.clock.now())
        if not rows:
            return False
        await hooks.reached("event-claimed-not-published")
        results = await asyncio.gather(*(self._publish(row) for row in rows), return_exceptions=True)
        outcomes = list(zip(rows, results, strict=True))
        await self._mark(outcomes)
        for row, result in outcomes:
            if isinstance(result, BaseException):
                if None not in results:  # nothing was accepted
                    raise result
                log.warning("an event could not be published", extra={"event_id": row["event_id"], "error": error_text(result)})
        return bool(self._context.to_publish) or len(rows) == MAX_BATCH

    async def _left_by_others(self) -> Sequence[OutboxRow]:
        """Unclaimed events of the outbox. While others wait in memory, it searches only every two seconds."""
        if self._context.to_publish and monotonic() < self._sweep_at:
            return []
        now = self._context.clock.now()
        rows = await CLAIMS.claim(self._context.database, now, OUTBOX_CLAIM, MAX_BATCH, until=now + OUTBOX_CLAIM)
        if len(rows) < MAX_BATCH:
            self._sweep_at = monotonic() + SWEEP  # else there may be more
        return [dict(row._mapping) for row in sorted(rows, key=lambda row: row.id)]

    async def _mark(self, outcomes: Sequence[tuple[OutboxRow, BaseException | None]]) -> None:
        now = self._context.clock.now()
        sent = [_of(row) | {"at": now} for row, error in outcomes if error is None]
        again = now + PAUSE if sent else None
        failed = [_of(row) | {"again": again} for row, error in outcomes if error is not None]
        async with self._context.database.writing() as transaction:
            for statement, rows in ((_SENT, sent), (_FAILED, failed)):
                if rows:
                    await transaction.session.execute(statement, rows)

    async def _publish(self, row: OutboxRow) -> None:
        body = row["body"].encode()
        headers = self._signer.headers(row["subject"], row["event_id"], body)
        if row["traceparent"]:
            headers[TRACE_HEADER] = row["traceparent"]
        await hooks.reached("event-publishing")
        await self._jetstream.publish(row["subject"], body, timeout=PUBLISH_TIMEOUT, stream=STREAM, headers=headers)
        await hooks.reached("event-published-not-marked")
        metrics.published.labels(row["subject"]).inc()


def _of(row: OutboxRow) -> dict[str, Any]:
    return {"of_event": row["event_id"], "of_claim": row["claimed_until"]}
