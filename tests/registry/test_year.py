"""A year of registrations: each reminder is sent once, although replicas are killed and stopped.

`--full-scale`: 5,000 registrations on PostgreSQL. The clock moves by whole days. Replicas are killed at random points of
their tasks, and on some days none runs.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import func, make_url, select

from services.registry.companies.domain.life_cycle import Asked
from services.registry.companies.domain.registration import Registration
from services.registry.companies.domain.reminders import OVER, Outcome
from services.registry.companies.expiring import schedule_expiry
from services.registry.companies.tables import registrations, reminders
from services.registry.companies.views import approved
from services.registry.handlers import router
from services.registry.mail.transport import Email, Mailer
from services.registry.settings import reference_data
from shared.clock import a_year_from
from shared.contracts.registry.registrations import RegistrationApproved, RegistrationExpired, RegistrationStatusChanged
from shared.database.engine import Database
from shared.database.tables import dead_letters, outbox, tasks
from shared.handling.work import ServiceContext
from shared.workers.tasks import TaskRunner
from tests.conftest import Databases
from tests.registry.builders import REQUIREMENTS, a_registration
from tests.support.service_under_test import PHNOM_PENH, SettableClock

SMALL, FULL = 50, 5_000
BEGIN = date(2027, 3, 1)
"""The year from here contains 29 February 2028 and a new year."""
DAYS = 366 + 45
REPLICAS = 3
DAYS_BEFORE = (30, 14, 7, 1, 0)
LONG_OUTAGE = {date(2027, 9, 10) + timedelta(days=day) for day in range(12)}
OUTAGES = {date(2027, 8, 3), date(2027, 12, 31), date(2028, 2, 29), *LONG_OUTAGE}
"""Days without any replica. The long one makes reminders late; others fall on the new year and the leap day."""
RENEWS = 4
"""One company in so many renews in time."""


@dataclass
class Inbox:
    """Collects e-mails, as a mail server does. It is slow, so that a replica can be killed in between."""

    sent: Counter[str] = field(default_factory=Counter)
    contents: dict[str, Email] = field(default_factory=dict)

    async def send(self, email: Email) -> None:
        await asyncio.sleep(0)
        known = self.contents.setdefault(email.message_id, email)
        assert known == email, "an e-mail that is sent again has the same text"
        self.sent[email.message_id] += 1
        await asyncio.sleep(0)


class System:
    """Replicas of registry on one database, with the clock of the test."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.clock = SettableClock(at(BEGIN, 12))
        self.inbox = Inbox()
        self.chance = Random(seed)
        self.killed = 0
        self.database = Database(make_url(url))
        self.alive: list[tuple[ServiceContext, TaskRunner]] = []

    def new_replica(self) -> tuple[ServiceContext, TaskRunner]:
        """A new replica."""
        tools = (*reference_data(), Mailer(self.inbox))
        context = ServiceContext("registry", Database(make_url(self.url)), self.clock, None, tools)  # type: ignore[arg-type]
        return context, TaskRunner(router.tasks, context)

    async def kill(self, number: int) -> None:
        """Kills a replica during its tasks: it finishes none and releases no lease."""
        context, runner = self.alive[number]
        self.killed += bool(runner._running)
        await runner.finish(within=0)
        await context.database.close()
        self.alive[number] = self.new_replica()

    async def run_due_tasks(self, *, kill_some: bool) -> None:
        """Runs what is due on every replica, and kills some of them. Leases of killed replicas expire."""
        while True:
            begun = await asyncio.gather(*(runner.begin_some() for _, runner in self.alive))
            for number in range(REPLICAS):
                if kill_some and self.chance.random() < 0.05:
                    for _ in range(self.chance.randrange(40)):
                        await asyncio.sleep(0)
                    await self.kill(number)
                    kill_some = False
            await asyncio.gather(*(runner.finish(within=60) for _, runner in self.alive))
            if not any(begun):
                if not await self.count_due():
                    return
                self.clock.instant += timedelta(minutes=2)

    async def count_due(self) -> int:
        """The number of due tasks: leased by a killed replica, or waiting for a retry."""
        due = select(func.count()).select_from(tasks).where(tasks.c.due_at <= self.clock.instant + timedelta(minutes=1))
        async with self.database.reading() as session:
            return await session.scalar(due) or 0

    async def begin(self, count: int) -> dict[UUID, date]:
        """Registers so many companies within the first year. Returns the last day of each."""
        first = BEGIN - timedelta(days=365)
        until: dict[UUID, date] = {}
        for start in range(0, count, 500):
            async with self.alive[0][0].work(INVALID_SPAN) as work:
                for number in range(start, min(start + 500, count)):
                    day = first + timedelta(days=31 + number * 366 // count)
                    registration = a_registration()
                    registration.approve(day, REQUIREMENTS)
                    work.session.add(registration)
                    schedule_expiry(registration, work)
                    work.announce(approved(registration, work))
                    until[registration.exporter_id] = registration.validity[1]
        return until

    async def renew(self, exporter_id: UUID) -> None:
        """A company renews, and an officer approves at once."""
        async with self.alive[0][0].work(INVALID_SPAN) as work:
            registration = await work.session.get(Registration, exporter_id)
            assert registration is not None
            registration.renew(work.today, None, REQUIREMENTS)
            registration.approve(work.today, REQUIREMENTS)
            assert registration.asked is Asked.NOTHING
            schedule_expiry(registration, work)
            work.announce(approved(registration, work))

    async def rows(self, table: Any) -> list[Any]:
        async with self.database.reading() as session:
            return list((await session.execute(select(table))).all())


@asynccontextmanager
async def a_system(url: str) -> AsyncIterator[System]:
    system = System(url, seed=1217)
    system.alive = [system.new_replica() for _ in range(REPLICAS)]
    try:
        yield system
    finally:
        for context, _ in system.alive:
            await context.database.close()
        await system.database.close()


def at(day: date, hour: int) -> datetime:
    """An hour of a day in Phnom Penh."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=PHNOM_PENH).astimezone(UTC)


async def run_a_year(url: str, count: int) -> str:
    """Runs the year day by day, then counts. Returns the figures as a line."""
    began = monotonic()
    async with a_system(url) as system:
        until = await system.begin(count)
        renewed_on = {
            company: last - timedelta(days=20) for number, (company, last) in enumerate(until.items()) if number % RENEWS == 0
        }
        for day in (BEGIN + timedelta(days=number) for number in range(DAYS)):
            for company in (company for company, on in renewed_on.items() if on == day):
                system.clock.instant = at(day, 0)
                await system.renew(company)
            if day in OUTAGES:
                continue
            for hour in (0, 8):
                system.clock.instant = at(day, hour)
                if await system.count_due():
                    await system.run_due_tasks(kill_some=True)

        decided = {(row.exporter_id, row.valid_until, row.days_before): row.outcome for row in await system.rows(reminders)}
        expected = dict(expected_outcomes(until, renewed_on))
        assert decided == expected
        sent = {f"registration-{who}-{until}-{days}" for (who, until, days), what in decided.items() if what is Outcome.SENT}
        assert set(system.inbox.sent) == sent
        twice = sum(times > 1 for times in system.inbox.sent.values())
        assert all(times <= 1 + system.killed for times in system.inbox.sent.values())

        announced = Counter(row.subject for row in await system.rows(outbox))
        over = Counter(what for (_, _, days), what in decided.items() if days == OVER)[Outcome.SENT]
        assert announced == {
            RegistrationApproved.subject: count + len(renewed_on),
            RegistrationExpired.subject: over,
            RegistrationStatusChanged.subject: over,
        }
        assert await system.rows(dead_letters) == []
        assert {row.status.value for row in await system.rows(registrations)} == {"active", "expired"}
        assert system.killed > 0

        by_outcome = Counter(outcome.value for outcome in decided.values())
        return (
            f"{count} registrations, {DAYS} days, {REPLICAS} replicas, {system.killed} killed: {len(decided)} "
            f"reminders ({', '.join(f'{number} {what}' for what, number in sorted(by_outcome.items()))}), {len(sent)} e-mails, "
            f"{twice} of them sent again after a crash with the same Message-ID, {over} expired; "
            f"{monotonic() - began:.0f} s"
        )


def expected_outcomes(until: dict[UUID, date], renewed_on: dict[UUID, date]) -> list[tuple[Any, Outcome]]:
    """The expected outcome of each reminder, computed day by day, in another way than the service does."""
    running = [BEGIN + timedelta(days=number) for number in range(DAYS) if BEGIN + timedelta(days=number) not in OUTAGES]
    end = running[-1]
    expected: list[tuple[Any, Outcome]] = []
    years = [(company, last, renewed_on.get(company)) for company, last in until.items()]
    years += [(company, a_year_from(until[company]), None) for company in renewed_on]
    for company, last, renewed in years:
        for position, days in enumerate(DAYS_BEFORE):
            due = last - timedelta(days=days)
            later = [last - timedelta(days=other) for other in DAYS_BEFORE[position + 1 :]]
            done = next((day for day in running if day >= due), end + timedelta(days=1))
            if done > end:
                continue
            if renewed and renewed <= done:
                what = Outcome.NOT_NEEDED
            elif done > last or any(other <= done for other in later):
                what = Outcome.MISSED
            else:
                what = Outcome.SENT
            expected.append(((company, last, days), what))
        if not renewed and last < end:
            expected.append(((company, last, OVER), Outcome.SENT))
    return expected


@pytest.mark.slow
async def test_in_a_year_each_reminder_is_sent_exactly_once(databases: Databases, pytestconfig: pytest.Config) -> None:
    full = pytestconfig.getoption("--full-scale")
    if full and databases.dialect == "sqlite":
        pytest.skip("the full scale is proven on PostgreSQL")
    said = await run_a_year(databases.of("registry"), FULL if full else SMALL)
    print(f"\n{databases.dialect}: {said}")
