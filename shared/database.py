"""SQLite and PostgreSQL by URL alone: exact types, transactions that lock alike, and the tables of the plumbing."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from pydantic import TypeAdapter
from sqlalchemy import (
    URL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    case,
    event,
    false,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.sql.dml import Insert, ReturningInsert
from sqlalchemy.types import TypeEngine


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC to the microsecond. SQLite keeps it as text that sorts by time."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return None if value is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal that comes back digit for digit. SQLite keeps it as text, so it cannot sort or add there."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(40) if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        return str(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Words(TypeDecorator[StrEnum]):
    """One word of an enumeration, kept as text and given back as the enumeration's member."""

    impl = String(40)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


class AsJson(TypeDecorator[Any]):
    """A value of any type that pydantic can describe, dataclasses among them, kept as JSON text, digit for digit."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._adapter = TypeAdapter(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self._adapter.dump_json(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else self._adapter.validate_json(value)


PLUMBING = MetaData()
ROW_ID = BigInteger().with_variant(Integer, "sqlite")

outbox = Table(
    "outbox",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("subject", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("about", Uuid, index=True),
    Column("traceparent", String(55)),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("claimed_until", UtcDateTime),
    Column("sent_at", UtcDateTime),
)
Index("ix_outbox_unsent", outbox.c.id, postgresql_where=outbox.c.sent_at.is_(None), sqlite_where=outbox.c.sent_at.is_(None))

inbox = Table(
    "inbox",
    PLUMBING,
    Column("event_id", Uuid, primary_key=True),
    Column("subject", String(120), nullable=False),
    Column("about", Uuid, index=True),
    Column("traceparent", String(55)),
    Column("received_at", UtcDateTime, nullable=False),
)

answers = Table(
    "answers",
    PLUMBING,
    Column("actor", String(80), primary_key=True),
    Column("subject", String(120), primary_key=True),
    Column("command_id", Uuid, primary_key=True),
    Column("body_hash", String(64), nullable=False),
    Column("answer", Text),
    Column("answered_at", UtcDateTime, nullable=False, index=True),
)

tasks = Table(
    "tasks",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("kind", String(80), nullable=False),
    Column("key", String(120), nullable=False),
    Column("body", Text, nullable=False),
    Column("about", Uuid),
    Column("traceparent", String(55)),
    Column("due_at", UtcDateTime, nullable=False, index=True),
    Column("leased_until", UtcDateTime),
    Column("leased_by", Uuid),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("asked", Integer, nullable=False, server_default="1"),
    Column("last_error", Text),
    UniqueConstraint("kind", "key"),
)

dead_letters = Table(
    "dead_letters",
    PLUMBING,
    Column("id", ROW_ID, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("name", String(120), nullable=False),
    Column("key", String(120), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("about", Uuid),
    Column("traceparent", String(55)),
    Column("error", Text, nullable=False),
    Column("died_at", UtcDateTime, nullable=False),
    UniqueConstraint("kind", "name", "key"),
)

signing_keys = Table(
    "signing_keys",
    PLUMBING,
    Column("key_id", String(80), primary_key=True),
    Column("public_key", Text, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
)

revoked_sessions = Table(
    "revoked_sessions",
    PLUMBING,
    Column("session_id", Uuid, primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
)

files = Table(
    "files",
    PLUMBING,
    Column("owner_id", Uuid, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("complete", Boolean, nullable=False, server_default=false()),
)

file_chunks = Table(
    "file_chunks",
    PLUMBING,
    Column("owner_id", Uuid, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("chunk", LargeBinary, nullable=False),
)


_AWAY_SQLITE = ("locked", "busy", "disk i/o error", "disk is full", "unable to open")
_AWAY_POSTGRESQL = ("08", "53", "57P", "40001", "40P01")


def is_transient(error: BaseException) -> bool:
    """Whether the database or the network, not our code, is at fault, so that the same attempt may succeed later."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        if state is not None:
            return error.connection_invalidated or state.startswith(_AWAY_POSTGRESQL)
        said = str(error.orig).lower()
        return error.connection_invalidated or any(away in said for away in _AWAY_SQLITE)
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError | IsADirectoryError | NotADirectoryError):
        return False
    return isinstance(error, OSError | TimeoutError | PoolTimeout)


def insert_new(dialect: str, table: Table, rows: Sequence[Mapping[str, Any]]) -> ReturningInsert[Any]:
    """An insert that passes over rows whose key is there already and returns the primary keys of the new ones."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).values(rows).on_conflict_do_nothing().returning(*table.primary_key.columns)


def ask_again(dialect: str) -> Insert:
    """An insert of tasks; one that is there already is asked for once more, and due when either is."""
    insert = (sqlite.insert if dialect == "sqlite" else postgresql.insert)(tasks)
    sooner = case((tasks.c.due_at < insert.excluded.due_at, tasks.c.due_at), else_=insert.excluded.due_at)
    return insert.on_conflict_do_update(index_elements=["kind", "key"], set_={"asked": tasks.c.asked + 1, "due_at": sooner})


async def add_one(session: AsyncSession, dialect: str, table: Table, key: Mapping[str, Any], column: str) -> int:
    """Raises a counter by one and returns it; whoever comes second waits until the first has committed."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    counter = insert(table).values({**key, column: 1})
    raised = counter.on_conflict_do_update(index_elements=[*key], set_={column: table.c[column] + 1})
    return int((await session.execute(raised.returning(table.c[column]))).scalar_one())


class Database:
    """One service's database. SQLite has one writer, so writers queue here in turn instead of polling a lock."""

    def __init__(self, url: URL) -> None:
        self.dialect = url.get_backend_name()
        options = {} if self.dialect == "sqlite" else {"pool_pre_ping": True}
        # values are hidden from errors, and so from logs: they may be personal
        self.engine = create_async_engine(url, pool_size=10, max_overflow=10, hide_parameters=True, **options)
        self._reader = self.engine.execution_options(**_READING[self.dialect])
        self.writer: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()
        if self.dialect == "sqlite":
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    def writing(self) -> "Transaction":
        """A transaction that may change things: `async with database.writing() as transaction`."""
        return Transaction(self)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state and can change nothing; it connects when it first reads."""
        async with AsyncSession(self._reader, autoflush=False) as session:
            yield session

    async def close(self) -> None:
        """Closes every connection."""
        await self.engine.dispose()


_READING: dict[str, dict[str, Any]] = {
    "sqlite": {"co_reading": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


class Transaction:
    """One writing transaction. `end` and `begin` let slow work stand between two halves without holding a lock."""

    def __init__(self, database: Database) -> None:
        self._writer = database.writer
        self._has_turn = False
        self.session = AsyncSession(database.engine, expire_on_commit=False)

    async def __aenter__(self) -> Self:
        try:
            await self.begin()
        except BaseException:
            await self.session.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            await self.end(commit=kind is None)
        finally:
            await self.session.close()

    async def begin(self) -> None:
        """Takes the turn of this database's writer and starts."""
        await self._writer.__aenter__()
        self._has_turn = True
        try:
            await self.session.connection()
        except BaseException:
            await self._give_turn()
            raise

    async def end(self, *, commit: bool = True) -> None:
        """Commits, or rolls back, also where the commit fails, and gives the turn away."""
        try:
            if commit:
                await self.session.commit()
        finally:
            try:
                await self.session.rollback()
            finally:
                await self._give_turn()

    async def _give_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            await self._writer.__aexit__(None, None, None)


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the driver must not begin by itself: `_begin_sqlite` does
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("co_reading", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
