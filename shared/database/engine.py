"""SQLite and PostgreSQL by URL alone: exact types, transactions that lock alike, and the tables of the plumbing."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Self

from sqlalchemy import (
    URL,
    Connection,
    event,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

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


FIRST_WORK = 4_210_002
"""The lock that replicas take in turn; the number is ours and means nothing."""


async def take_turns(session: AsyncSession, dialect: str) -> None:
    """Waits until no other replica does this, and keeps them waiting until the transaction ends."""
    if dialect == "postgresql":  # SQLite has one writer anyhow
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FIRST_WORK})


SWITCH_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds to wait for another process that is just making the file."""


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
    for pragma in ("busy_timeout=10000", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    for pause in (*SWITCH_PAUSES, None):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if pause is None:
                raise
            time.sleep(pause)  # the one statement that does not wait for `busy_timeout`; needed only on a new file


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("co_reading", False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if reading else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
