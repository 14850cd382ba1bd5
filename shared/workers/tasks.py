"""What is slow or later: tasks are leased, done one per transaction on any replica, and tried again until done."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

from opentelemetry.trace import SpanKind
from sqlalchemy import ColumnElement, Row, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.observability import metrics
from shared.clock import MAX_CLOCK_SKEW
from shared.workers.retries import LONGEST_DELAY, Unreadable, delay_after, is_permanent, is_temporary
from shared.workers.dead_letters import DeadLetter, store_dead_letter
from shared.observability.logs import error_text
from shared.workers.loop import run_forever
from shared.refusals import Unavailable
from shared.handling.router import Reacting
from shared.database.tables import tasks
from shared.observability.tracing import ATTEMPT, span
from shared.handling.task import Task
from shared.handling.work import ServiceContext

log = logging.getLogger(__name__)

AT_ONCE = 8
LEASE = timedelta(seconds=60)
MARGIN = timedelta(seconds=15)
SWEEP = 1.0
LONGEST_WAIT = timedelta(seconds=LONGEST_DELAY)


class LeaseLost(Exception):
    """Another replica took this task over; what was done here is undone."""


class TaskRunner:
    """Does the tasks of one service, eight at once on each replica."""

    def __init__(self, handlers: Mapping[type[Task], Reacting], context: ServiceContext) -> None:
        self._handlers = {task.kind: (task, handler) for task, handler in handlers.items()}
        self._context = context
        self._replica = uuid4()
        self._lasts = max([LEASE, *(timedelta(seconds=task.limit) + MARGIN for task in handlers)])
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Does tasks until told to stop; those in progress are waited for by `finish`."""
        await run_forever(self.begin_some, self._context.something_due, SWEEP, self._context.stopping)

    async def begin_some(self) -> bool:
        """Leases and begins what is due; says whether there may be more that it has hands for."""
        rows = await self._lease(AT_ONCE - len(self._running))
        for row in rows:
            running = asyncio.create_task(self.do(row))
            self._running.add(running)
            running.add_done_callback(self._done)
        return bool(rows) and len(self._running) < AT_ONCE

    async def finish(self, within: float) -> None:
        """Waits for the tasks in progress; what is not done by then is left to its lease."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=within)
            for running in late:
                running.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _done(self, running: asyncio.Task[None]) -> None:
        self._running.discard(running)
        self._context.something_due.set()

    async def _lease(self, most: int) -> list[Row[Any]]:
        if most <= 0:
            return []
        now = self._context.clock.now()
        due = (tasks.c.due_at <= now) | (~tasks.c.scheduled & (tasks.c.due_at > now + LONGEST_WAIT + MAX_CLOCK_SKEW))
        leased = tasks.c.leased_until.between(now, now + self._lasts + MAX_CLOCK_SKEW)
        ready = due & or_(tasks.c.leased_until.is_(None), ~leased)
        async with self._context.database.reading() as session:
            if not await session.scalar(select(exists().where(ready))):
                return []
        next_ones = select(tasks.c.id).where(ready).order_by(tasks.c.due_at).limit(most).with_for_update(skip_locked=True)
        lease = (
            update(tasks)
            .where(tasks.c.id.in_(next_ones))
            .values(leased_until=now + self._lasts, leased_by=self._replica, attempts=tasks.c.attempts + 1)
        )
        async with self._context.database.writing() as transaction:
            return list((await transaction.session.execute(lease.returning(tasks))).all())

    async def do(self, row: Row[Any]) -> None:
        """Does one leased task, and sees to its fate where it fails."""
        try:
            await self._attempt(row)
            outcome = "done"
        except LeaseLost:
            outcome = "lost"
        except Exception as error:
            outcome = await self._fail(row, error)
        metrics.tasks.labels(row.kind, outcome).inc()

    async def _attempt(self, row: Row[Any]) -> None:
        if row.kind not in self._handlers:
            raise Unreadable(f"this release knows no task {row.kind}")
        task_type, handler = self._handlers[row.kind]
        task = task_type.model_validate_json(row.body)
        with span(
            f"due {task_type.__name__}",
            under=row.traceparent,
            kind=SpanKind.INTERNAL,
            about=row.about,
            attributes={ATTEMPT: row.attempts},
        ) as opened:
            async with asyncio.timeout(task.limit), self._context.work(opened) as work:
                work.about = row.about
                await handler(task, work)
                await self._put_away(work.session, row)

    def _mine(self, row: Row[Any]) -> ColumnElement[bool]:
        return and_(tasks.c.id == row.id, tasks.c.leased_by == self._replica, tasks.c.attempts == row.attempts)

    async def _put_away(self, session: AsyncSession, row: Row[Any]) -> None:
        """The task is done; what was asked for meanwhile is done anew. Raises LeaseLost."""
        done = delete(tasks).where(self._mine(row), tasks.c.asked == row.asked)
        anew = update(tasks).where(self._mine(row)).values(leased_until=None, attempts=0, failures=0)
        for ending in (done.returning(tasks.c.id), anew.returning(tasks.c.id)):
            if (await session.execute(ending)).all():
                return
        raise LeaseLost()

    async def _fail(self, row: Row[Any], error: Exception) -> str:
        failures = row.failures + (not is_temporary(error))
        what = {"task": row.kind, "key": row.key, "attempt": row.attempts, "error": error_text(error)}
        try:
            async with self._context.database.writing() as transaction:
                if is_permanent(error, failures):
                    letter = DeadLetter("task", row.kind, row.key, row.body.encode(), row.about, row.traceparent)
                    await store_dead_letter(transaction.session, self._context.database.dialect, letter, error, self._context.clock.now())
                    await self._put_away(transaction.session, row)
                    log.error("a task was laid among the dead letters", extra=what, exc_info=error)
                    return "dead"
                delay = delay_after(row.attempts)
                await transaction.session.execute(
                    update(tasks)
                    .where(self._mine(row))
                    .values(
                        leased_until=None,
                        failures=failures,
                        last_error=_reason(error),
                        due_at=self._context.clock.now() + timedelta(seconds=delay),
                        scheduled=False,
                    )
                )
        except Exception as worse:
            log.warning("a failed task waits for its lease to end", extra=what | {"worse": repr(worse)})
            return "delayed"
        log.warning("a task is tried again", extra=what | {"delay": delay})
        asyncio.get_running_loop().call_later(delay, self._context.something_due.set)
        return "delayed"


def _reason(error: Exception) -> str:
    """Why a task waits, in words that an exporter may read."""
    return str(error)[:1000] if isinstance(error, Unavailable) else "It failed, and is tried again."
