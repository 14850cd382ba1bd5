"""Health and backlog of a service, for the operator and for Prometheus."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import operations
from shared.database.tables import dead_letters, outbox, signing_keys, tasks
from shared.handling.router import Router
from shared.handling.work import Work
from shared.observability import metrics

router = Router()


@dataclass(frozen=True)
class HealthCheck:
    """The functions by which a replica reports its health.

    `problems`: sentences for an operator; none if the replica works. `events_waiting`: the number of events that wait in the
    stream, and the number of delivered but unacknowledged events.
    """

    started_at: datetime
    problems: Callable[[], Awaitable[list[str]]]
    events_waiting: Callable[[], Awaitable[tuple[int, int]]]


@router.answers(operations.AskHealth)
async def ask_health(question: operations.AskHealth, work: Work) -> operations.Health:
    """Returns whether the replica works, and its problems."""
    check = work.use(HealthCheck)
    problems = await check.problems()
    return operations.Health(service=work.service, ready=not problems, problems=tuple(problems), started_at=check.started_at)


@router.answers(operations.AskLag)
async def ask_lag(question: operations.AskLag, work: Work) -> operations.Lag:
    """Returns the backlog of the service, as counts and ages."""
    waiting, delivered = await work.use(HealthCheck).events_waiting()
    return operations.Lag(
        service=work.service,
        events_waiting=waiting,
        events_handed_over=delivered,
        **await measure_backlog(work.session, work.now),
    )


async def measure_backlog(session: AsyncSession, now: datetime) -> dict[str, int | float]:
    """Returns the backlog in the database as counts and ages in seconds, and sets the gauges."""

    async def count(table: Table, *conditions: object) -> int:
        return await session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0  # type: ignore[arg-type]

    unsent = outbox.c.sent_at.is_(None)
    due = (tasks.c.due_at <= now) | ~tasks.c.scheduled
    # not the minimum: to find it, the index of all instants would be read
    oldest_unsent = await session.scalar(select(outbox.c.recorded_at).where(unsent).order_by(outbox.c.id).limit(1))
    oldest_due = await session.scalar(select(func.min(tasks.c.due_at)).where(due))
    lag: dict[str, int | float] = {
        "outbox_waiting": await count(outbox, unsent),
        "outbox_oldest_seconds": _age(oldest_unsent, now),
        "tasks_waiting": await count(tasks, due),
        "tasks_oldest_seconds": _age(oldest_due, now),
        "tasks_failing": await count(tasks, tasks.c.attempts > 1),
        "dead_letters": await count(dead_letters),
    }
    for what in ("outbox", "tasks"):
        metrics.waiting.labels(what).set(lag[f"{what}_waiting"])
        metrics.oldest.labels(what).set(lag[f"{what}_oldest_seconds"])
    metrics.waiting.labels("tasks_failing").set(lag["tasks_failing"])
    metrics.waiting.labels("dead_letters").set(lag["dead_letters"])
    return lag


async def measure_keys(session: AsyncSession, now: datetime) -> None:
    """Sets the gauge of the seconds until the last known signing key expires."""
    if last := await session.scalar(select(func.max(signing_keys.c.not_after))):
        metrics.keys_end.set((last.astimezone(UTC) - now).total_seconds())


def _age(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max(0.0, (now - instant.astimezone(UTC)).total_seconds())
