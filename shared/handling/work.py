"""The unit of work: a transaction, its actor, and the events and tasks that follow its commit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, ParamSpec, Protocol, TypeVar, cast, runtime_checkable
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from opentelemetry.trace import Span
from sqlalchemy import BindParameter, Row, Table, bindparam, insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from shared import hooks
from shared.clock import Clock
from shared.contracts.index import owner_of
from shared.contracts.messages import Contract, Event, subject_of
from shared.database import upserts
from shared.database.engine import Database, Transaction
from shared.database.tables import inbox, outbox
from shared.handling.actor import NOBODY, Actor, NotSignedIn
from shared.handling.task import Task
from shared.handling.to_publish import EventsToPublish
from shared.observability.tracing import link_to, mark, traceparent

MAX_EVENT = 900 * 1024
"""Maximum bytes of an event. The bus accepts 1 MiB, headers included."""

_ABOUT: BindParameter[UUID] = bindparam("subject_id")
_MESSAGES = union_all(
    select(inbox.c.received_at.label("at"), inbox.c.traceparent).where(inbox.c.about == _ABOUT),
    select(outbox.c.recorded_at.label("at"), outbox.c.traceparent).where(outbox.c.about == _ABOUT),
).subquery()
_FORMER_TRACE = select(_MESSAGES.c.traceparent).order_by(_MESSAGES.c.at.desc()).limit(1)
_ANNOUNCE = insert(outbox)

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=Event)


@runtime_checkable
class AsyncClosable(Protocol):
    """A tool that has connections to close."""

    async def aclose(self) -> None:
        """Closes them."""


class Work:
    """The second argument of every handler. Its events and tasks become visible when its transaction commits."""

    def __init__(
        self, context: "ServiceContext", session: AsyncSession, span: Span, transaction: Transaction | None = None
    ) -> None:
        self._context = context
        self._transaction = transaction
        self._actor = NOBODY
        self.session = session
        self.span = span
        self.about: UUID | None = None
        """The id of the certificate that joins the traces of this work."""
        self.single_transaction = False
        self.announced: list[dict[str, Any]] = []
        self._permitted_by: set[UUID] = set()
        self.tasks: dict[tuple[str, str], dict[str, Any]] = {}

    @property
    def service(self) -> str:
        """The name of the service."""
        return self._context.service

    @property
    def country(self) -> str:
        """The country that this instance serves."""
        return self._context.country

    @property
    def actor(self) -> Actor:
        """The person or system that sent the request. Raises NotSignedIn for an anonymous request."""
        if self._actor is NOBODY:
            raise NotSignedIn()
        return self._actor

    def act_as(self, actor: Actor) -> None:
        """Sets the actor."""
        self._actor = actor

    @property
    def may_write(self) -> bool:
        """Whether this handles a command, an event or a task. Then a handler should lock the rows that it loads."""
        return self._transaction is not None

    @property
    def now(self) -> datetime:
        """The present instant, in UTC."""
        return self._context.clock.now()

    @property
    def today(self) -> date:
        """The legal date in the instance's zone."""
        return self._context.clock.today()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of legal dates."""
        return self._context.clock.zone

    def legal_date(self, instant: datetime) -> date:
        """The legal date of an instant."""
        return instant.astimezone(self._context.clock.zone).date()

    def use(self, kind: type[T]) -> T:
        """The tool of this class. Raises KeyError."""
        return self._context.use(kind)

    def begin(self, message: Contract, span: Span) -> None:
        """Begins the next message: one transaction may handle several."""
        self.span, self.about = span, None
        if subject := subject_of(message):
            self.is_about(*subject)

    def is_about(self, noun: str, noun_id: object) -> None:
        """Marks the span with the subject, if traces are joined by this noun."""
        if isinstance(noun_id, UUID) and mark(self.span, noun, noun_id):
            self.about = noun_id

    async def link_to_former(self, subject_id: UUID) -> None:
        """Links the span to the last message that was received or announced about this subject."""
        if not self.span.is_recording():
            return
        link_to(self.span, await self.session.scalar(_FORMER_TRACE, {"subject_id": subject_id}))

    async def insert_new(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[Row[Any]]:
        """Inserts the rows whose key does not exist yet and returns the primary keys of the new rows."""
        return await upserts.insert_new(self.session, table, rows)

    async def insert_newer(self, table: Table, row: Mapping[str, Any], version: str = "version") -> None:
        """Inserts a row, or replaces the row with the same key if that one has a lower `version`."""
        await upserts.insert_newer(self.session, table, row, version)

    async def announced_before(self, kind: type[E], subject_id: UUID) -> list[E]:
        """The events of this class that this service has announced about a certificate or an exporter, in order."""
        bodies = select(outbox.c.body).where(outbox.c.about == subject_id, outbox.c.subject == kind.subject)
        return [kind.model_validate_json(body) for body in await self.session.scalars(bodies.order_by(outbox.c.id))]

    def announce(self, event: Event) -> None:
        """Adds an event to the outbox; it is published after the commit.

        Raises ValueError if the event belongs to another service or has more than `MAX_EVENT` bytes.
        """
        self._must_write()
        body = event.model_dump_json()
        size = len(body.encode())
        if size > MAX_EVENT or owner_of(type(event)) != self.service:
            raise ValueError(f"{self.service} cannot announce this {type(event).__name__} of {size} bytes")
        if event.known_by:
            mark(self.span, event.known_by, getattr(event, event.known_by))
        if event.permitted_by and self.about:  # not for a page of states that are announced again
            self._permitted_by.add(getattr(event, event.permitted_by))
        self.announced.append(
            {
                "event_id": uuid4(),
                "subject": event.subject,
                "body": body,
                "about": self.about or id_of_subject(event),
                "traceparent": traceparent(),
                "recorded_at": self.now,
            }
        )

    def later(self, task: Task, *, key: str | UUID, due_at: datetime | None = None) -> None:
        """Enqueues a task, due at once or at `due_at`. Two waiting tasks with the same key run once."""
        self._must_write()
        self.tasks[task.kind, str(key)] = {
            "kind": task.kind,
            "key": str(key),
            "body": task.model_dump_json(),
            "about": self.about,
            "traceparent": traceparent(),
            "due_at": due_at or self.now,
            "scheduled": due_at is not None,
        }

    def _must_write(self) -> None:
        if not self.may_write:
            raise RuntimeError("a question cannot announce an event or enqueue a task")

    async def between_transactions(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Commits, does slow work such as a call to a partner, and begins a new transaction. Read rows may have changed."""
        if self._transaction is None or self.single_transaction or self.announced or self.tasks:
            raise RuntimeError("slow work belongs in a task or a secret command, before anything is announced")
        await self._transaction.end()
        try:
            return await call(*args, **kwargs)
        finally:
            await self._transaction.begin()
            self.session.expire_all()

    async def commit_so_far(self) -> None:
        """Commits the changes, events and tasks so far, so that they stay if the rest is refused or fails."""
        await self.flush_outbox()
        announced, self.announced, self.tasks = self.announced, [], {}
        await self.between_transactions(asyncio.sleep, 0)
        self._context.to_publish.add(announced)

    async def in_process(self, function: Callable[..., T], *args: Any) -> T:
        """Runs a long computation, such as a password hash, in another process between two transactions."""
        run = asyncio.get_running_loop().run_in_executor
        return await self.between_transactions(run, self._context.processes, function, *args)

    async def flush_outbox(self) -> None:
        """Writes the announced events and the tasks into the transaction, each in one statement."""
        await self.session.flush()
        for subject_id in self._permitted_by:
            await self.link_to_former(subject_id)
        if self.announced:
            context = self._context
            claimed_until = None if context.recovering else context.to_publish.claim(self.now)
            for row in self.announced:
                row["claimed_until"] = claimed_until
            await self.session.execute(_ANNOUNCE, self.announced)
        await upserts.enqueue_tasks(self.session, list(self.tasks.values()))


class ServiceContext:
    """The objects that all work of a service shares: database, clock, process pool, tools, and wake-up signals."""

    def __init__(
        self,
        service: str,
        database: Database,
        clock: Clock,
        processes: Executor,
        tools: Iterable[object] = (),
        country: str = "KH",
    ) -> None:
        self.service = service
        self.country = country
        self.database = database
        self.clock = clock
        self.processes = processes
        self.recovering: str | None = None
        """The reason of a recovery in progress; None in normal operation."""
        self._tools = {type(tool): tool for tool in tools}
        self.to_publish = EventsToPublish()
        self.something_due = asyncio.Event()
        self.stopping = asyncio.Event()

    def use(self, kind: type[T]) -> T:
        """The tool of this class that the service was built with. Raises KeyError."""
        return cast(T, self._tools[kind])

    def add(self, tool: object) -> None:
        """Adds a tool of the plumbing."""
        self._tools[type(tool)] = tool

    async def close(self) -> None:
        """Closes the tools that hold connections, and the database."""
        for tool in self._tools.values():
            if isinstance(tool, AsyncClosable):
                await tool.aclose()
        await self.database.close()

    def stop(self) -> None:
        """Requests the background loops to end after their present step."""
        self.stopping.set()
        self.to_publish.arrived.set()
        self.something_due.set()

    @asynccontextmanager
    async def work(self, span: Span) -> AsyncIterator[Work]:
        """Work that commits at the end of the block, and rolls back if the block raises."""
        async with self.database.writing() as transaction:
            work = Work(self, transaction.session, span, transaction)
            yield work
            await work.flush_outbox()
            if work.announced:
                await hooks.reached("announced-not-committed")
        self.to_publish.add(work.announced)
        if work.tasks:
            self.something_due.set()

    @asynccontextmanager
    async def reading(self, span: Span) -> AsyncIterator[Work]:
        """Work that only reads."""
        async with self.database.reading() as session:
            yield Work(self, session, span)


def id_of_subject(message: Contract) -> UUID | None:
    """The id of the subject of a message, as inbox and outbox store it."""
    _, found = subject_of(message) or ("", None)
    return found if isinstance(found, UUID) else None
