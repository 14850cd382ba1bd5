"""The database of a service, SQLite or PostgreSQL by URL. Its transactions lock in the same way on both."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from typing import Any, Self

from sqlalchemy import (
    URL,
    Connection,
    event,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.util.concurrency import await_only

from shared.database import sqlite_in_place
from shared.database.session import Session

_TRANSIENT_SQLITE = ("locked", "busy", "disk i/o error", "disk is full", "unable to open")
_TRANSIENT_POSTGRESQL = ("08", "53", "57P", "40001", "40P01")


def is_transient(error: BaseException) -> bool:
    """Whether the database or the network failed, not the code, so that a retry may succeed."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        if state is not None:
            return error.connection_invalidated or state.startswith(_TRANSIENT_POSTGRESQL)
        message = str(error.orig).lower()
        return error.connection_invalidated or any(part in message for part in _TRANSIENT_SQLITE)
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError | IsADirectoryError | NotADirectoryError):
        return False
    return isinstance(error, OSError | TimeoutError | PoolTimeout)


START_LOCK = 4_210_002
"""The key of the advisory lock of replicas that start; the number is arbitrary."""


async def lock_start(session: AsyncSession) -> None:
    """Waits until no other replica starts. The lock lasts until the transaction ends."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has only one writer
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": START_LOCK})


SWITCH_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds to wait for another process that is creating the file."""


SQLITE_CACHE = 8_000
"""KiB that each connection keeps of its file. With SQLite's own 2 MB a look-up among a million rows reads its pages again."""

BUSY, BUSY_PAUSE = 10.0, 0.01
"""Seconds for which a transaction waits until another process has ended its own, and seconds between two attempts."""

_SQLITE: dict[str, Any] = {"pool_size": 10, "max_overflow": 0}  # an overflow connection costs four statements
_POSTGRESQL: dict[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}


def with_driver(url: URL) -> URL:
    """The address with the driver that the product uses: SQLite runs in place, without a thread."""
    return url.set(drivername=sqlite_in_place.DRIVER) if url.get_backend_name() == "sqlite" else url


class Database:
    """The database of one service. SQLite has only one writer, so writers wait here instead of polling its lock."""

    def __init__(self, url: URL) -> None:
        url = with_driver(url)
        self.dialect = url.get_backend_name()
        pool = _SQLITE if self.dialect == "sqlite" else _POSTGRESQL
        # errors, and so logs, contain no values: they may be personal data
        self.engine = create_async_engine(url, hide_parameters=True, **pool)
        self.writer: AbstractAsyncContextManager[Any] = asyncio.Lock() if self.dialect == "sqlite" else nullcontext()
        if self.dialect == "sqlite":
            self._readers = create_async_engine(url, hide_parameters=True, **pool)  # a writer waits for no reader
            for engine, reads in ((self.engine, False), (self._readers, True)):
                event.listen(engine.sync_engine, "connect", partial(_prepare_sqlite, reads=reads))
                event.listen(engine.sync_engine, "begin", partial(_begin_sqlite, reads=reads))
                event.listen(engine.sync_engine, "invalidate", _roll_back_sqlite)
        else:
            self._readers = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def writing(self) -> "Transaction":
        """A transaction that may write: `async with database.writing() as transaction`."""
        return Transaction(self)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """A read-only session. It has one snapshot of the database and connects at its first read."""
        await asyncio.sleep(0)  # statements of SQLite never yield: other tasks get their turn here
        session = Session(self._readers, autoflush=False)
        try:
            yield session
        finally:
            await session.close()

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()
        await self._readers.dispose()


class Transaction:
    """One writing transaction. With `end` and `begin`, slow work can run between two parts without a lock."""

    def __init__(self, database: Database) -> None:
        self._writer = database.writer
        self._has_writer = False
        self.session = Session(database.engine, expire_on_commit=False)

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
        """Waits until no other transaction writes on SQLite, and begins."""
        await asyncio.sleep(0)  # statements of SQLite never yield: other tasks get their turn here
        await self._writer.__aenter__()
        self._has_writer = True
        try:
            await self.session.connection()
        except BaseException:
            await self._release_writer()
            raise

    async def end(self, *, commit: bool = True) -> None:
        """Commits, or rolls back if `commit` is False or the commit fails. It always releases the writer."""
        try:
            if commit:
                await self.session.commit()
        finally:
            try:
                await self.session.rollback()
            finally:
                await self._release_writer()

    async def _release_writer(self) -> None:
        if self._has_writer:
            self._has_writer = False
            await self._writer.__aexit__(None, None, None)


def _prepare_sqlite(connection: Any, _: object, *, reads: bool) -> None:
    connection.isolation_level = None  # the driver must not begin transactions: `_begin_sqlite` does
    pragmas = (f"busy_timeout={1000 * BUSY:.0f}", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{SQLITE_CACHE}")
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    for pause in (*SWITCH_PAUSES, None):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            if pause is None:
                raise
            time.sleep(pause)  # the only statement that ignores `busy_timeout`; needed only for a new file
    # a reader never waits for a writer, and a writer waits in `_begin_sqlite`
    connection.execute("PRAGMA query_only=ON" if reads else "PRAGMA busy_timeout=0")


def _roll_back_sqlite(connection: Any, *_: object) -> None:
    """A closed connection keeps SQLite's lock while a cursor of a cancelled statement lives, unless it is rolled back."""
    connection.rollback()


def _begin_sqlite(connection: Connection, *, reads: bool) -> None:
    driver: Any = connection.connection.driver_connection
    deadline = time.monotonic() + BUSY
    while True:
        try:
            driver.execute("BEGIN" if reads else "BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise OperationalError("BEGIN", None, error) from error
        await_only(asyncio.sleep(BUSY_PAUSE))  # waiting in SQLite would stop the event loop
