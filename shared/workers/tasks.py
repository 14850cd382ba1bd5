"""The task runner leases due tasks, runs each in one transaction on any replica, and retries it after a failure."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from opentelemetry.trace import SpanKind
from sqlalchemy import Row, and_, bindparam, delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared import hooks
from shared.clock import MAX_CLOCK_SKEW
from shared.database.claims import NOW, Claims
from shared.database.column_types import UtcDateTime
from shared.database.tables import tasks
from shared.database.upserts import enqueue_tasks
from shared.handling.router import EventFunction
from shared.handling.task import Task
from shared.handling.work import ServiceContext, Work
from shared.observability import metrics
from shared.observability.logs import error_text
from shared.observability.tracing import ATTEMPT, span
from shared.refusals import Unavailable
from shared.workers.dead_letters import DeadLetter, store_dead_letter
from shared.workers.loop import run_forever
from shared.workers.retries import MAX_DELAY, Unreadable, delay_after, is_permanent, is_temporary

log = logging.getLogger(__name__)

MAX_CONCURRENT = 8
LEASE = timedelta(seconds=60)
MARGIN = timedelta(seconds=15)
SWEEP = 1.0
MAX_WAIT = timedelta(seconds=MAX_DELAY)

_DUE = (tasks.c.due_at <= NOW) | (~tasks.c.scheduled & (tasks.c.due_at > bindparam("due_latest", type_=UtcDateTime)))
CLAIMS = Claims(
    tasks,
    tasks.c.leased_until,
    _DUE,
    tasks.c.due_at,
    leased_until=bindparam("until"),
    leased_by=bindparam("replica"),
    attempts=tasks.c.attempts + 1,
)
_MINE = and_(
    tasks.c.id == bindparam("of_task"),
    tasks.c.leased_by == bindparam("of_replica"),
    tasks.c.attempts == bindparam("of_attempt"),
)
_DONE = delete(tasks).where(_MINE, tasks.c.asked == bindparam("of_asked")).returning(tasks.c.id)
_AGAIN = update(tasks).where(_MINE).values(leased_until=None, attempts=0, failures=0).returning(tasks.c.id)
_RETRY = (
    update(tasks)
    .where(_MINE)
    .values(
        leased_until=None,
        failures=bindparam("failed"),
        last_error=bindparam("error"),
        due_at=bindparam("retry_at"),
        scheduled=False,
    )
)


class LeaseLost(Exception):
    """Another replica has taken over this task; this transaction is rolled back."""


class TaskRunner:
    """Runs the tasks of one service, at most eight at the same time on each replica."""

    def __init__(self, handlers: Mapping[type[Task], EventFunction], context: ServiceContext) -> None:
        self._handlers = {task.kind: (task, handler) for task, handler in handlers.items()}
        self._context = context
        self._replica = uuid4()
        self._lease_time = max([LEASE, *(timedelta(seconds=task.limit) + MARGIN for task in handlers)])
        self._running: set[asyncio.Task[None]] = set()

    async def enqueue_repeating(self, work: Work) -> None:
        """Enqueues every repeating task, due now. It runs once, also if this period already has one."""
        repeating = [task for task, _ in self._handlers.values() if task.every]
        await enqueue_tasks(work.session, [_run_of(task, task.period_of(work.now), work.now) for task in repeating])

    async def run(self) -> None:
        """Runs tasks until a stop is requested. `finish` waits for the tasks in progress."""
        await run_forever(self.begin_some, self._context.something_due, SWEEP, self._context.stopping)

    async def begin_some(self) -> bool:
        """Leases and starts due tasks. Returns whether there may be more that this replica can run now."""
        rows = await self._lease(MAX_CONCURRENT - len(self._running))
        for row in rows:
            running = asyncio.create_task(self.do(row))
            self._running.add(running)
            running.add_done_callback(self._done)
        return bool(rows) and len(self._running) < MAX_CONCURRENT

    async def finish(self, within: float) -> None:
        """Waits at most `within` seconds for the tasks in progress and cancels the others: their leases expire."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=within)
            for running in late:
                running.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _done(self, running: asyncio.Task[None]) -> None:
        self._running.discard(running)
        self._context.something_due.set()

    async def _lease(self, limit: int) -> list[Row[Any]]:
        if limit <= 0:
            return []
        now = self._context.clock.now()
        values = {"until": now + self._lease_time, "replica": self._replica, "due_latest": now + MAX_WAIT + MAX_CLOCK_SKEW}
        return await CLAIMS.claim(self._context.database, now, self._lease_time, limit, **values)

    async def do(self, row: Row[Any]) -> None:
        """Runs one leased task; if it fails, enqueues the retry or stores a dead letter."""
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
            raise Unreadable(f"this release has no task {row.kind}")
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
                work.about, began = row.about, work.now
                await handler(task, work)
                await self._remove(work.session, row, began)
                await hooks.reached("task-before-commit")
            await hooks.reached("task-committed")

    def _mine(self, row: Row[Any]) -> dict[str, Any]:
        return {"of_task": row.id, "of_replica": self._replica, "of_attempt": row.attempts}

    async def _remove(self, session: AsyncSession, row: Row[Any], now: datetime) -> None:
        """Removes a finished task, unless it was requested again meanwhile, and enqueues the next run.

        `now`: when this run began. A run that ends in the next period does not skip that period. Raises LeaseLost.
        """
        mine = self._mine(row)
        done = (await session.execute(_DONE, mine | {"of_asked": row.asked})).all()
        if not done and not (await session.execute(_AGAIN, mine)).all():
            raise LeaseLost()
        task, _ = self._handlers.get(row.kind, (None, None))
        if task and task.every:
            period = task.period_of(now) + task.every
            await enqueue_tasks(session, [_run_of(task, period, period)])

    async def _fail(self, row: Row[Any], error: Exception) -> str:
        failures = row.failures + (not is_temporary(error))
        what = {"task": row.kind, "key": row.key, "attempt": row.attempts, "error": error_text(error)}
        try:
            async with self._context.database.writing() as transaction:
                if is_permanent(error, failures):
                    await self._give_up(transaction.session, row, error)
                    log.error("a task failed permanently and is now a dead letter", extra=what, exc_info=error)
                    return "dead"
                delay = delay_after(row.attempts)
                retry = {
                    "failed": failures,
                    "error": _reason(error),
                    "retry_at": self._context.clock.now() + timedelta(seconds=delay),
                }
                await transaction.session.execute(_RETRY, self._mine(row) | retry)
        except Exception as worse:
            log.warning("a failed task waits for its lease to expire", extra=what | {"worse": repr(worse)})
            return "delayed"
        log.warning("a task will be retried", extra=what | {"delay": delay})
        asyncio.get_running_loop().call_later(delay, self._context.something_due.set)
        return "delayed"

    async def _give_up(self, session: AsyncSession, row: Row[Any], error: Exception) -> None:
        letter = DeadLetter(
            kind="task", name=row.kind, key=row.key, body=row.body.encode(), about=row.about, traceparent=row.traceparent
        )
        now = self._context.clock.now()
        await store_dead_letter(session, letter, error, now)
        await self._remove(session, row, now)


def _run_of(task: type[Task], period: datetime, due_at: datetime) -> dict[str, Any]:
    """The row of a run of a repeating task. It has no cause, so it continues no trace."""
    body = task().model_dump_json()
    return {"kind": task.kind, "key": period.isoformat(), "body": body, "due_at": due_at, "scheduled": True}


def _reason(error: Exception) -> str:
    """The reason why a task waits, which an exporter may read."""
    return str(error)[:1000] if isinstance(error, Unavailable) else "It failed and will be retried."
