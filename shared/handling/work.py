"""One piece of work: a transaction, who asked for it, and what is to follow when it is committed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any, ClassVar, ParamSpec, Protocol, TypeVar, cast, runtime_checkable
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from opentelemetry.trace import Span
from pydantic import BaseModel, ConfigDict
from sqlalchemy import insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from shared.contracts.index import owner_of
from shared.contracts.messages import Contract, Event
from shared.database.engine import Database, Transaction
from shared.handling.actor import NOBODY, Actor, NotSignedIn
from shared.database.upserts import enqueue_tasks
from shared.database.tables import inbox, outbox
from shared.observability.tracing import CERTIFICATE_ID, CERTIFICATE_REFERENCE, link_to, traceparent

MAX_EVENT = 900 * 1024
"""Bytes of an event; the bus carries 1 MiB."""

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=Event)


@runtime_checkable
class AsyncClosable(Protocol):
    """A tool that holds connections."""

    async def aclose(self) -> None:
        """Closes them."""


class Task(BaseModel):
    """Something slow or later, kept in the same transaction as its cause. `kind` is stored: never rename it.

    `limit`: seconds one attempt may take; another replica takes over a while after that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    limit: ClassVar[float] = 45.0


class Work:
    """What a handler works with. Nothing it announces or leaves for later is seen before its transaction commits."""

    def __init__(self, context: "ServiceContext", session: AsyncSession, span: Span, transaction: Transaction | None = None) -> None:
        self._context = context
        self._transaction = transaction
        self._actor = NOBODY
        self.session = session
        self.span = span
        self.about: UUID | None = None
        self.single_transaction = False
        self.announced: list[dict[str, Any]] = []
        self.left_for_later: dict[tuple[str, str], dict[str, Any]] = {}

    @property
    def actor(self) -> Actor:
        """The person who asks. Raises NotSignedIn where nobody is known."""
        if self._actor is NOBODY:
            raise NotSignedIn()
        return self._actor

    def act_as(self, actor: Actor) -> None:
        """Says who asks."""
        self._actor = actor

    @property
    def actor_name(self) -> str:
        """The id of the person who asks, or `anonymous`."""
        return self._actor.name

    @property
    def country(self) -> str:
        """The country that this instance serves."""
        return self._context.country

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`, for the few statements that the two spell differently."""
        return self._context.database.dialect

    @property
    def may_write(self) -> bool:
        """Whether this is a command, an event or a task, so that what it loads should be locked."""
        return self._transaction is not None

    @property
    def now(self) -> datetime:
        """This instant, in UTC."""
        return self._context.clock.now()

    @property
    def today(self) -> date:
        """The legal date in the instance's zone."""
        return self._context.clock.today()

    @property
    def zone(self) -> ZoneInfo:
        """Where legal dates are counted."""
        return self._context.clock.zone

    def legal_date(self, instant: datetime) -> date:
        """The legal date of an instant."""
        return instant.astimezone(self._context.clock.zone).date()

    def begin_about(self, message: Contract, span: Span) -> None:
        """Turns to a message, of several in one transaction, with its own span."""
        self.span, self.about = span, None
        if certificate_id := getattr(message, "certificate_id", None):
            self.concerns(certificate_id)

    def concerns(self, certificate_id: UUID) -> None:
        """Says which certificate this is about, so that its traces can be joined."""
        self.about = certificate_id
        self.span.set_attribute(CERTIFICATE_ID, str(certificate_id))

    def known_as(self, reference: str) -> None:
        """Says by which public reference the certificate is known, so that its traces can be found."""
        self.span.set_attribute(CERTIFICATE_REFERENCE, reference)

    async def follows(self, subject_id: UUID) -> None:
        """Links this act to the former one about the same certificate, or about what permits it."""
        if not self.span.is_recording():
            return
        heard = select(inbox.c.received_at.label("at"), inbox.c.traceparent).where(inbox.c.about == subject_id)
        said = select(outbox.c.recorded_at.label("at"), outbox.c.traceparent).where(outbox.c.about == subject_id)
        acts = union_all(heard, said).subquery()
        link_to(self.span, await self.session.scalar(select(acts.c.traceparent).order_by(acts.c.at.desc()).limit(1)))

    def use(self, kind: type[T]) -> T:
        """The object of this kind that the service was equipped with. Raises KeyError."""
        return self._context.use(kind)

    async def said(self, kind: type[E], subject_id: UUID) -> list[E]:
        """What this service has announced of this kind about a certificate or an exporter, in order."""
        before = select(outbox.c.body).where(outbox.c.about == subject_id, outbox.c.subject == kind.subject)
        return [kind.model_validate_json(body) for body in await self.session.scalars(before.order_by(outbox.c.id))]

    def announce(self, event: Event) -> None:
        """Says what has happened to every permitted listener, once this is committed."""
        self._must_write()
        body = event.model_dump_json()
        size = len(body.encode())
        if size > MAX_EVENT or owner_of(type(event)) != self._context.service:
            raise ValueError(f"{self._context.service} cannot announce this {type(event).__name__} of {size} bytes")
        self.announced.append(
            {
                "event_id": uuid4(),
                "subject": event.subject,
                "body": body,
                "about": self.about or about(event),
                "traceparent": traceparent(),
                "recorded_at": self.now,
            }
        )

    def later(self, task: Task, *, key: str | UUID, due_at: datetime | None = None) -> None:
        """Leaves a task to be done after commit, at once or when due.

        One with the same key is done once for both, but again where it is being done just now.
        """
        self._must_write()
        self.left_for_later[task.kind, str(key)] = {
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
            raise RuntimeError("a question changes nothing: it cannot announce anything or leave it for later")

    async def between_transactions(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does slow work, such as asking a partner, between two transactions: what was read before may have changed."""
        if self._transaction is None or self.single_transaction or self.announced or self.left_for_later:
            raise RuntimeError("slow work belongs in a task or a secret command, before anything is announced")
        await self._transaction.end()
        try:
            return await call(*args, **kwargs)
        finally:
            await self._transaction.begin()
            self.session.expire_all()

    async def keep(self) -> None:
        """Commits what was done so far, so that it stays when the rest is refused."""
        await self.between_transactions(asyncio.sleep, 0)

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Does heavy arithmetic, such as a seal, in another process between two transactions."""
        return await self.between_transactions(asyncio.get_running_loop().run_in_executor, self._context.processes, function, *args)

    async def flush_outbox(self) -> None:
        """Puts what was announced and left for later into the transaction, all at once."""
        await self.session.flush()
        if self.announced:
            await self.session.execute(insert(outbox), self.announced)
        if self.left_for_later:
            await self.session.execute(enqueue_tasks(self.dialect), list(self.left_for_later.values()))


class ServiceContext:
    """Where a service does its work: its database, its clock, its other processes, and who is woken by a commit."""

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
        """Why nothing may be changed until an operator has confirmed; None in good times."""
        self._tools = {type(tool): tool for tool in tools}
        self.something_announced = asyncio.Event()
        self.something_due = asyncio.Event()
        self.stopping = asyncio.Event()

    def use(self, kind: type[T]) -> T:
        """The object of this kind that the service was equipped with. Raises KeyError."""
        return cast(T, self._tools[kind])

    async def close(self) -> None:
        """Closes whatever the service was equipped with that can be closed, and its database."""
        for tool in self._tools.values():
            if isinstance(tool, AsyncClosable):
                await tool.aclose()
        await self.database.close()

    def stop(self) -> None:
        """Tells the work in the background to end after its present step."""
        self.stopping.set()
        self.something_announced.set()
        self.something_due.set()

    @asynccontextmanager
    async def work(self, span: Span) -> AsyncIterator[Work]:
        """Work that is committed where the block ends well, and leaves no trace where it does not."""
        async with self.database.writing() as transaction:
            work = Work(self, transaction.session, span, transaction)
            yield work
            await work.flush_outbox()
        if work.announced:
            self.something_announced.set()
        if work.left_for_later:
            self.something_due.set()

    @asynccontextmanager
    async def reading(self, span: Span) -> AsyncIterator[Work]:
        """Work that only reads."""
        async with self.database.reading() as session:
            yield Work(self, session, span)


def about(message: Contract) -> UUID | None:
    """The certificate a message is about, or else the exporter: what traces are joined by."""
    return getattr(message, "certificate_id", None) or getattr(message, "exporter_id", None)
