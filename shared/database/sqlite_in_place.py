"""A SQLAlchemy dialect for asyncio that runs SQLite in the calling thread (decision 0026).

aiosqlite hands each statement to another thread, which costs more than most statements. The address is
`sqlite+in_place:///file`; `with_driver` in `shared.database.engine` chooses it for `sqlite:///file`.
"""

import sqlite3
from typing import Any

from sqlalchemy import URL, Pool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.pool import AsyncAdaptedQueuePool


class _Cursor(sqlite3.Cursor):
    async def _async_soft_close(self) -> None:
        """SQLAlchemy awaits this after a statement whose rows are still to be read: they are read in place."""


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


class InPlaceDialect(SQLiteDialect_pysqlite):
    """pysqlite's dialect as one for asyncio: no statement waits, so nothing is awaited."""

    driver = "in_place"
    is_async = True
    supports_statement_cache = True

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        """A pool whose waiting callers are tasks."""
        return AsyncAdaptedQueuePool

    def create_connect_args(self, url: URL) -> Any:
        """Connections of the class above, which any thread may close."""
        args, options = super().create_connect_args(url)
        return args, {"factory": _Connection, **options, "check_same_thread": False}

    def get_driver_connection(self, connection: Any) -> Any:
        """The connection of `sqlite3`."""
        return connection


DRIVER = f"sqlite+{InPlaceDialect.driver}"
registry.register("sqlite.in_place", __name__, InPlaceDialect.__name__)
