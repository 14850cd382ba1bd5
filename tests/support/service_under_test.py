"""Calls the handlers of one service on a real database, without a bus."""

import json
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from faststream.nats import NatsMessage
from joserfc.jwk import OKPKey
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import insert, make_url, select

from shared.bus.connection import STEP_UP_HEADER, TOKEN_HEADER
from shared.clock import Clock
from shared.contracts.index import events
from shared.contracts.messages import Command, Event, Refusal, Request
from shared.database.engine import Database
from shared.database.migrations.schema import migrate
from shared.database.tables import outbox, signing_keys
from shared.handling.actor import Actor, Mandated
from shared.handling.router import Router
from shared.handling.work import ServiceContext, Work
from shared.operations.health import HealthCheck
from shared.security.step_up import STEP_UP_LASTS, digest_of, sign_step_up
from shared.security.tokens import Tokens, public_jwk, sign_token
from shared.workers.requests import RequestHandler
from shared.workers.tasks import TaskRunner

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")


class SettableClock(Clock):
    """A clock that returns `instant`, which a test sets."""

    def __init__(self, instant: datetime) -> None:
        super().__init__(PHNOM_PENH)
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


def a_person(*roles: str, organisation: UUID | str = "PNH", user_id: UUID | None = None) -> Actor:
    """A signed-in user."""
    return Actor(user_id=user_id or uuid4(), session_id=uuid4(), organisation=str(organisation), roles=frozenset(roles))


def an_agent(agent_id: UUID, exporter_id: UUID) -> Actor:
    """A user of an agent, with a token for the exporter."""
    actor = a_person("preparer", "signatory", organisation=exporter_id)
    return replace(actor, mandate=Mandated(uuid4(), agent_id))


@dataclass
class ServiceUnderTest:
    """Sends requests and events to the handlers of a service and runs its tasks."""

    router: Router
    context: ServiceContext
    clock: SettableClock
    key: OKPKey

    def token_of(self, person: Actor, *, lasts: timedelta = timedelta(hours=1)) -> str:
        """A token of the user, issued at the present time of the clock."""
        return sign_token(self.key, person, audience="KH", now=self.clock.now(), lasts=lasts)

    def step_up_of(self, person: Actor, *commands: Command) -> str:
        """A step-up token of the user for these commands."""
        decisions = [(command.subject, digest_of(command)) for command in commands]
        return sign_step_up(self.key, person, decisions, audience="KH", now=self.clock.now(), lasts=STEP_UP_LASTS)

    async def ask(self, request: Request, person: Actor | None = None) -> Any:
        """The answer or the refusal. Commands that need a step-up are confirmed."""
        token = self.token_of(person) if person else None
        confirmed = self.step_up_of(person, request) if person and isinstance(request, Command) and request.step_up else None
        return await self.ask_raw(type(request), request.model_dump_json().encode(), token, confirmed)

    async def ask_raw(self, kind: type[Request], body: bytes, token: str | None, step_up: str | None = None) -> Any:
        """The answer or the refusal for any body and any tokens."""
        handler = RequestHandler(kind, self.router.requests[kind], self.context, Tokens("KH"))
        headers = {name: value for name, value in ((TOKEN_HEADER, token), (STEP_UP_HEADER, step_up)) if value}
        message = NatsMessage(raw_message=None, body=body, headers=headers)
        envelope = json.loads(await handler.envelope(message))
        if "refusal" in envelope:
            return Refusal.model_validate(envelope["refusal"])
        return kind.answer.model_validate(envelope["answer"])

    async def receive(self, event: Event) -> None:
        """Handles an event in its own transaction."""
        async with self.context.work(INVALID_SPAN) as work:
            work.begin(event, INVALID_SPAN)
            await self.router.events[type(event)](event, work)

    async def do_tasks(self) -> None:
        """Runs the due tasks until none is left."""
        runner = TaskRunner(self.router.tasks, self.context)
        while await runner.begin_some():
            await runner.finish(within=10)

    async def start(self) -> None:
        """Runs the start steps of a replica."""
        async with self.context.work(INVALID_SPAN) as work:
            await TaskRunner(self.router.tasks, self.context).enqueue_repeating(work)
            for step in self.router.start:
                await step(work)

    async def announced(self, kind: type[Event] | None = None) -> list[Any]:
        """The events in the outbox, in order; of one class if given."""
        by_subject = {event.subject: event for event in events()}
        async with self.context.database.reading() as session:
            rows = (await session.execute(select(outbox.c.subject, outbox.c.body).order_by(outbox.c.id))).all()
        found = [by_subject[row.subject].model_validate_json(row.body) for row in rows]
        return [event for event in found if kind is None or isinstance(event, kind)]

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """A transaction of the test."""
        async with self.context.work(INVALID_SPAN) as work:
            yield work


@asynccontextmanager
async def a_service_under_test(
    name: str, router: Router, root: Path, *tools: object, now: datetime | None = None, database_url: str | None = None
) -> AsyncIterator[ServiceUnderTest]:
    """A service with a new SQLite database, or the given one. It accepts the tokens of this test."""
    url = make_url(database_url or migrated_copy(name, root / f"{name}.db"))
    clock = SettableClock(now or datetime(2026, 11, 23, 3, 0, tzinfo=UTC))
    key = OKPKey.generate_key("Ed25519")
    database = Database(url)
    with ThreadPoolExecutor(1) as pool:
        context = ServiceContext(name, database, clock, pool, tools)
        async with context.work(INVALID_SPAN) as work:
            row = {"key_id": key.thumbprint(), "public_key": public_jwk(key)}
            always = {"not_before": datetime(2000, 1, 1, tzinfo=UTC), "not_after": datetime(2100, 1, 1, tzinfo=UTC)}
            await work.session.execute(insert(signing_keys).values(row | always))
        yield ServiceUnderTest(router, context, clock, key)
        await database.close()


@cache
def _template(name: str) -> tuple[Path, TemporaryDirectory[str]]:
    """A migrated SQLite database of a service, created once. Its folder is deleted at the end of the tests."""
    folder = TemporaryDirectory(prefix="co-template-")
    file = Path(folder.name) / f"{name}.db"
    migrate_in_thread(name, make_url(f"sqlite:///{file}"))
    return file, folder


def migrated_copy(name: str, file: Path) -> str:
    """Creates a migrated SQLite database of a service; returns its address."""
    template, _ = _template(name)
    shutil.copy(template, file)
    return f"sqlite:///{file}"


def migrate_in_thread(name: str, url: Any) -> None:
    """Migrates in another thread, because Alembic starts an event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(migrate, name, url).result()


def a_health_check() -> HealthCheck:
    """The health check of a replica without problems and without a bus."""

    async def no_problems() -> list[str]:
        return []

    async def no_events() -> tuple[int, int]:
        return 0, 0

    return HealthCheck(datetime(2026, 11, 23, 3, 0, tzinfo=UTC), no_problems, no_events)
