"""Tasks: what is slow or later is done once, on any replica, whatever dies in between."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from multiprocessing import get_context
from typing import Any, ClassVar

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import insert, make_url, select, update

from shared.database.engine import Database
from shared.database.tables import dead_letters, tasks
from shared.handling.task import Task
from shared.handling.work import ServiceContext, Work
from shared.operations.dead_letters import DeadLetterFailsAgain
from shared.refusals import Refused, Unavailable
from shared.workers import tasks as doing
from shared.workers.tasks import LEASE, MAX_CONCURRENT, TaskRunner
from tests.conftest import Databases, eventually
from tests.support.plumbing_stack import (
    TABLES,
    Chore,
    OffsetClock,
    PlumbingStack,
    a_router,
    a_service_context,
    a_settlement,
    effects,
    keep,
)

Doing = Callable[[Any, Work], Awaitable[None]]


class ServiceUnderTest:
    """A service context with one database, and the runners of its tasks."""

    def __init__(self, context: ServiceContext, clock: OffsetClock) -> None:
        self.context = context
        self.clock = clock
        self._running: list[asyncio.Task[None]] = []

    async def leave(self, *names: str, key: str | None = None, after: float = 0, task: type[Task] = Chore) -> None:
        due_at = self.clock.now() + timedelta(seconds=after) if after else None
        async with self.context.work(INVALID_SPAN) as work:
            for name in names:
                work.later(task(name=name), key=key or name, due_at=due_at)

    def runner(self, handler: Doing, task: type[Task] = Chore) -> TaskRunner:
        return TaskRunner({task: handler}, self.context)

    def start(self, handler: Doing, task: type[Task] = Chore) -> TaskRunner:
        runner = self.runner(handler, task)
        self._running.append(asyncio.create_task(runner.run()))
        return runner

    async def rows(self, table: Any = tasks) -> list[Any]:
        async with self.context.database.reading() as session:
            return list((await session.execute(select(table).order_by(table.c.id))).all())

    async def effects(self) -> list[str]:
        return [row.what for row in await self.rows(effects)]

    async def attempt(self, runner: TaskRunner) -> Any:
        """Leases the one task that is due and does it."""
        (row,) = await runner._lease(1)
        await runner.do(row)
        return row

    async def close(self) -> None:
        self.context.stop()
        await asyncio.gather(*self._running)


@asynccontextmanager
async def a_service_under_test(url: str, processes: Any = None) -> AsyncIterator[ServiceUnderTest]:
    clock = OffsetClock()
    async with a_service_context(url, clock, processes) as context:
        async with context.database.engine.begin() as connection:
            await connection.run_sync(TABLES.create_all)
        service = ServiceUnderTest(context, clock)
        try:
            yield service
        finally:
            await service.close()


@pytest.fixture
async def service(databases: Databases) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test(databases.of("fees")) as furnished:
        yield furnished


@pytest.fixture
async def sqlite_desk(sqlite_databases: Databases) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test(sqlite_databases.of("fees")) as furnished:
        yield furnished


async def do_it(task: Chore, work: Work) -> None:
    await keep(work, task.name)


async def test_a_task_is_done_once_and_soon(service: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doing, "SWEEP", 60.0)
    service.start(do_it)

    await service.leave("sweep")

    await eventually(service.effects)  # woken, not swept
    await eventually(lambda: _none(service))
    assert await service.effects() == ["sweep"]


async def _none(service: ServiceUnderTest) -> bool:
    return not await service.rows()


async def test_tasks_with_the_same_key_are_one(service: ServiceUnderTest) -> None:
    await service.leave("first", key="1")
    await service.leave("second", "third", key="1")
    service.start(do_it)

    await eventually(lambda: _none(service))
    assert await service.effects() == ["first"]


async def test_many_thousand_tasks_can_be_left_at_once(service: ServiceUnderTest) -> None:
    await service.leave(*map(str, range(7000)))

    assert len(await service.rows()) == 7000


async def test_a_task_is_not_done_before_it_is_due(service: ServiceUnderTest) -> None:
    runner = service.runner(do_it)
    await service.leave("later", after=3600)
    assert await runner._lease(8) == []

    service.clock.ahead = timedelta(seconds=3601)

    assert len(await runner._lease(8)) == 1


async def test_a_task_may_leave_itself_for_later_under_the_same_key(service: ServiceUnderTest) -> None:
    async def again(task: Chore, work: Work) -> None:
        await keep(work, work.now)
        work.later(task, key="same", due_at=work.now + timedelta(hours=1))

    await service.leave("daily", key="same")
    await service.attempt(service.runner(again))

    (row,) = await service.rows()
    assert row.due_at > service.clock.now() + timedelta(minutes=59)
    assert row.attempts == 0


async def test_what_is_asked_for_while_it_is_being_done_is_done_again(service: ServiceUnderTest) -> None:
    """The task has read the state already when a new cause leaves it again: that cause must not be forgotten."""
    begun, may_end, times = asyncio.Event(), asyncio.Event(), Counter[str]()

    async def slowly(task: Chore, work: Work) -> None:
        times[task.name] += 1
        await work.between_transactions(_wait, begun, may_end)

    service.start(slowly)
    await service.leave("transmit", key="1")
    await begun.wait()
    await service.leave("transmit", key="1")
    may_end.set()

    await eventually(lambda: times["transmit"] == 2)


async def _wait(begun: asyncio.Event, may_end: asyncio.Event) -> None:
    begun.set()
    await may_end.wait()


async def test_a_task_that_fails_is_tried_again_later_and_later(service: ServiceUnderTest) -> None:
    async def fail(task: Chore, work: Work) -> None:
        await keep(work, "half")
        work.announce(a_settlement())
        raise Unavailable("the partner sleeps")

    runner, pauses = service.runner(fail), []
    await service.leave("send")
    for _ in range(12):
        tried_at = service.clock.now()
        await service.attempt(runner)
        (row,) = await service.rows()
        pauses.append((row.due_at - tried_at).total_seconds())
        assert await runner._lease(1) == []
        service.clock.ahead += timedelta(seconds=61)

    assert pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60, 60, 60], abs=0.15)
    assert (row.failures, row.attempts) == (0, 12)
    assert await service.effects() == []
    assert await service.rows(dead_letters) == []


async def test_five_bugs_make_a_dead_letter_however_often_it_waited_before(service: ServiceUnderTest) -> None:
    errors: list[Exception] = [
        Unavailable("x"),
        TimeoutError(),
        ConnectionResetError(),
        *(ZeroDivisionError() for _ in range(5)),
    ]
    failing = iter(errors)

    async def fail(task: Chore, work: Work) -> None:
        await keep(work, "half")
        raise next(failing)

    runner = service.runner(fail)
    await service.leave("send")
    for _ in errors:
        assert await service.rows(dead_letters) == []
        await service.attempt(runner)
        service.clock.ahead += timedelta(seconds=61)

    (letter,) = await service.rows(dead_letters)
    assert (letter.kind, letter.name, letter.key) == ("task", "chore", "send")
    assert "ZeroDivisionError" in letter.error
    assert await service.rows() == []
    assert await service.effects() == []


@pytest.mark.parametrize("error", [Refused(), DeadLetterFailsAgain(error="a\x00b")], ids=["refused", "NUL"])
async def test_a_refusal_of_a_task_is_a_dead_letter_at_once(service: ServiceUnderTest, error: Exception) -> None:
    async def refuse(task: Chore, work: Work) -> None:
        raise error

    await service.leave("send")
    await service.attempt(service.runner(refuse))

    assert len(await service.rows(dead_letters)) == 1
    assert await service.rows() == []


async def test_a_task_that_this_release_does_not_know_becomes_a_dead_letter(sqlite_desk: ServiceUnderTest) -> None:
    await sqlite_desk.leave("send")
    await sqlite_desk.attempt(TaskRunner({}, sqlite_desk.context))

    assert len(await sqlite_desk.rows(dead_letters)) == 1


async def test_a_task_whose_lease_ended_is_taken_over_and_the_first_one_undone(service: ServiceUnderTest) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slowly(task: Chore, work: Work) -> None:
        await work.between_transactions(_wait, begun, may_end)
        await keep(work, "slow")

    async def quickly(task: Chore, work: Work) -> None:
        await keep(work, "quick")

    slow, quick = service.runner(slowly), service.runner(quickly)
    await service.leave("send")
    first = asyncio.create_task(service.attempt(slow))
    await begun.wait()
    assert await quick._lease(1) == []
    service.clock.ahead = LEASE + timedelta(seconds=1)
    await service.attempt(quick)
    may_end.set()
    await first

    assert await service.effects() == ["quick"]
    assert await service.rows() == []


async def test_a_late_failure_does_not_end_the_lease_of_who_took_over(service: ServiceUnderTest) -> None:
    """The same replica leases its own task again after the lease ended; the first attempt fails only then."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slowly(task: Chore, work: Work) -> None:
        await work.between_transactions(_wait, begun, may_end)
        raise ZeroDivisionError

    runner = service.runner(slowly)
    await service.leave("send")
    first = asyncio.create_task(service.attempt(runner))
    await begun.wait()
    service.clock.ahead = LEASE + timedelta(seconds=1)
    (second,) = await runner._lease(1)
    may_end.set()
    await first

    (row,) = await service.rows()
    assert row.leased_until == second.leased_until
    assert row.failures == 0


async def test_two_runners_share_the_tasks_and_none_acts_twice(databases: Databases) -> None:
    url, by = databases.of("fees"), Counter[str]()
    async with a_service_under_test(url) as one, a_service_under_test(url) as two:

        def noting(name: str) -> Doing:
            async def note(task: Chore, work: Work) -> None:
                by[name] += 1
                await asyncio.sleep(0.002)
                await keep(work, task.name)

            return note

        await one.leave(*map(str, range(100)))
        one.start(noting("one"))
        two.start(noting("two"))

        await eventually(lambda: _none(one), within=10)
        assert sorted(await one.effects(), key=int) == list(map(str, range(100)))
        assert by["one"] + by["two"] == 100
        assert min(by.values()) > 0


async def test_a_runner_never_does_more_than_its_hands_can_hold(service: ServiceUnderTest) -> None:
    most, now = 0, 0

    async def count(task: Chore, work: Work) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await work.between_transactions(asyncio.sleep, 0.005)
        now -= 1
        await keep(work, task.name)

    await service.leave(*map(str, range(40)))
    service.start(count)

    await eventually(lambda: _none(service))
    assert 1 < most <= MAX_CONCURRENT


async def test_slow_work_outside_lets_others_write_meanwhile(service: ServiceUnderTest) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slowly(task: Chore, work: Work) -> None:
        await keep(work, "before")
        await work.between_transactions(_wait, begun, may_end)
        await keep(work, "after")

    await service.leave("send")
    doing = asyncio.create_task(service.attempt(service.runner(slowly)))
    await begun.wait()
    async with asyncio.timeout(10), service.context.work(INVALID_SPAN) as work:
        await keep(work, "meanwhile")
    may_end.set()
    await doing

    assert await service.effects() == ["before", "meanwhile", "after"]


@pytest.mark.parametrize("how", ["announce", "later"])
async def test_slow_work_is_refused_after_something_was_announced_or_left(sqlite_desk: ServiceUnderTest, how: str) -> None:
    async with sqlite_desk.context.work(INVALID_SPAN) as work:
        if how == "announce":
            work.announce(a_settlement())
        else:
            work.later(Chore(), key="1")
        with pytest.raises(RuntimeError, match="before anything is announced"):
            await work.between_transactions(asyncio.sleep, 0)


async def test_slow_work_is_refused_in_a_question(sqlite_desk: ServiceUnderTest) -> None:
    async with sqlite_desk.context.reading(INVALID_SPAN) as work:
        with pytest.raises(RuntimeError, match="slow work"):
            await work.between_transactions(asyncio.sleep, 0)


async def test_an_error_outside_undoes_the_second_half_only_and_frees_the_writer(service: ServiceUnderTest) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with service.context.work(INVALID_SPAN) as work:
            await keep(work, "before")
            await work.between_transactions(fail)

    async with asyncio.timeout(10), service.context.work(INVALID_SPAN) as work:
        await keep(work, "next")
    assert await service.effects() == ["before", "next"]


class Daily(Chore):
    kind: ClassVar[str] = "daily"
    every: ClassVar[timedelta | None] = timedelta(days=1)


async def test_a_daily_task_that_ends_after_midnight_does_not_skip_the_next_day(service: ServiceUnderTest) -> None:
    async def past_midnight(task: Daily, work: Work) -> None:
        service.clock.ahead += timedelta(days=1)

    began = service.clock.now()
    runner = service.runner(past_midnight, Daily)
    async with service.context.work(INVALID_SPAN) as work:
        await runner.enqueue_repeating(work)

    await service.attempt(runner)

    assert [row.due_at for row in await service.rows()] == [Daily.period_of(began) + timedelta(days=1)]


class Hasty(Chore):
    """A task with little time."""

    kind: ClassVar[str] = "hasty"
    limit: ClassVar[float] = 0.1


@pytest.mark.parametrize("where", ["inside", "outside"])
async def test_a_task_that_takes_too_long_is_ended_and_tried_again(service: ServiceUnderTest, where: str) -> None:
    async def endless(task: Hasty, work: Work) -> None:
        await keep(work, "half") if where == "inside" else None
        await (asyncio.sleep(60) if where == "inside" else work.between_transactions(asyncio.sleep, 60))

    await service.leave("send", task=Hasty)
    async with asyncio.timeout(10):
        await service.attempt(service.runner(endless, Hasty))

    (row,) = await service.rows()
    assert (row.leased_until, row.attempts) == (None, 1)
    assert await service.effects() == []
    async with asyncio.timeout(10):
        await service.leave("next")


async def test_tasks_in_progress_are_finished_before_the_runner_ends(service: ServiceUnderTest) -> None:
    begun = asyncio.Event()

    async def slowly(task: Chore, work: Work) -> None:
        begun.set()
        await work.between_transactions(asyncio.sleep, 0.1)
        await keep(work, "done")

    runner = service.start(slowly)
    await service.leave("send")
    await begun.wait()
    service.context.stop()

    await runner.finish(5)

    assert await service.effects() == ["done"]


async def test_a_task_cut_off_at_the_end_is_left_to_its_lease(service: ServiceUnderTest) -> None:
    begun = asyncio.Event()

    async def endless(task: Chore, work: Work) -> None:
        await keep(work, "half")
        begun.set()
        await asyncio.sleep(60)

    runner = service.start(endless)
    await service.leave("send")
    await begun.wait()
    service.context.stop()

    await runner.finish(0.05)

    (row,) = await service.rows()
    assert row.leased_until > service.clock.now()
    assert await service.effects() == []


def work_elsewhere(seconds: int) -> int:
    return os.getpid() + seconds


def die(code: int) -> None:
    os._exit(code)


@pytest.fixture(scope="module")
def processes() -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


async def test_heavy_work_is_computed_in_another_process(sqlite_databases: Databases, processes: Any) -> None:
    async with a_service_under_test(sqlite_databases.of("fees"), processes) as service:
        found = []

        async def heavy(task: Chore, work: Work) -> None:
            found.append(await work.in_process(work_elsewhere, 0))
            await keep(work, "sealed")

        await service.leave("seal")
        await service.attempt(service.runner(heavy))

        assert found[0] != os.getpid()
        assert await service.effects() == ["sealed"]


@pytest.mark.slow
async def test_a_process_that_dies_does_not_spoil_the_work_of_others(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack

    async def heavy(task: Chore, work: Work) -> None:
        await (work.in_process(die, 1) if task.name == "die" else work.in_process(work_elsewhere, 1))
        await keep(work, task.name)

    running = await stack.replica(a_router(tasks=[(Chore, heavy)]))
    context = running.replica.context
    async with context.work(INVALID_SPAN) as work:
        work.later(Chore(name="die"), key="die")
    await eventually(lambda: _failed_once(stack))

    async with context.work(INVALID_SPAN) as work:
        work.later(Chore(name="seal"), key="seal")

    await eventually(stack.effects, within=15)
    assert await stack.effects() == ["seal"]


async def _failed_once(stack: PlumbingStack) -> bool:
    return any(row.last_error for row in await stack.rows(tasks))


async def test_a_task_of_another_process_is_leased_by_one_of_many_at_once(databases: Databases) -> None:
    url = databases.of("fees")
    async with a_service_under_test(url) as service:
        await service.leave(*map(str, range(20)))
        others = [Database(make_url(url)) for _ in range(4)]
        runners = [TaskRunner({Chore: do_it}, ServiceContext("fees", other, service.clock, None)) for other in others]

        leased = await asyncio.gather(*(runner._lease(5) for runner in runners))

        assert sorted(row.key for rows in leased for row in rows) == sorted(map(str, range(20)))
        assert all(len(rows) <= 5 for rows in leased)
        for other in others:
            await other.close()


@pytest.mark.parametrize(("back", "leased"), [(timedelta(hours=1), 1), (timedelta(seconds=30), 0)])
async def test_a_lease_of_a_clock_that_was_put_back_does_not_hold_but_one_of_a_clock_that_is_a_little_ahead_does(
    sqlite_desk: ServiceUnderTest, back: timedelta, leased: int
) -> None:
    await sqlite_desk.leave("1")
    sqlite_desk.clock.ahead = back
    assert len(await sqlite_desk.runner(do_it)._lease(1)) == 1

    sqlite_desk.clock.ahead = timedelta()

    assert len(await sqlite_desk.runner(do_it)._lease(1)) == leased


@pytest.mark.parametrize(("wait", "leased"), [(0, 1), (60, 0)])
async def test_a_task_left_by_a_clock_that_was_put_back_is_due_unless_it_was_to_wait(
    sqlite_desk: ServiceUnderTest, wait: int, leased: int
) -> None:
    sqlite_desk.clock.ahead = timedelta(hours=1)
    await sqlite_desk.leave("1", after=wait)

    sqlite_desk.clock.ahead = timedelta()

    assert len(await sqlite_desk.runner(do_it)._lease(1)) == leased


async def test_the_lease_is_longer_than_any_task_may_take(sqlite_desk: ServiceUnderTest) -> None:
    class Patient(Chore):
        kind: ClassVar[str] = "patient"
        limit: ClassVar[float] = 120.0

    runner = sqlite_desk.runner(do_it, Patient)
    await sqlite_desk.leave("slow", task=Patient)

    (row,) = await runner._lease(1)

    assert (row.leased_until - sqlite_desk.clock.now()).total_seconds() > Patient.limit


async def test_a_stored_task_that_cannot_be_read_becomes_a_dead_letter(sqlite_desk: ServiceUnderTest) -> None:
    await sqlite_desk.leave("send")
    async with sqlite_desk.context.database.writing() as transaction:
        await transaction.session.execute(update(tasks).values(body='{"nme": 1}'))
        await transaction.session.execute(insert(effects).values(what="kept"))
    runner = sqlite_desk.runner(do_it)
    for _ in range(5):
        if await sqlite_desk.rows():
            await sqlite_desk.attempt(runner)
        sqlite_desk.clock.ahead += timedelta(seconds=61)

    assert len(await sqlite_desk.rows(dead_letters)) == 1
    assert await sqlite_desk.effects() == ["kept"]
