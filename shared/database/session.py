"""The session of a transaction. A statement without entities of the ORM goes to the connection directly.

Such a statement costs half of what it costs through the ORM (docs/performance.md). A statement that is built once, with
`bindparam`, costs half of that again: the plumbing and hot queries have theirs at the top of their module.
"""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
from sqlalchemy.orm import Session as SyncSession


class Session(AsyncSession):
    """A session whose connection stays the same until its transaction ends."""

    _opened: Connection | None = None

    async def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """Executes a statement. As with SQLAlchemy's session, pending changes of objects are written before."""
        if options or statement._propagate_attrs:  # it has entities
            return await super().execute(statement, params, **options)
        return await self.run_sync(self._execute_directly, statement, params)

    async def scalar(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """The first column of the first row, or None."""
        return (await self.execute(statement, params, **options)).scalar()

    async def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """The first column of each row."""
        return (await self.execute(statement, params, **options)).scalars()

    def _execute_directly(self, session: SyncSession, statement: Any, params: Any) -> Any:
        if session.autoflush:
            session.flush()
        if self._opened is None:
            self._opened = session.connection()
        return self._opened.execute(statement, params)

    def begin_nested(self) -> AsyncSessionTransaction:
        """Begins a savepoint: SQLAlchemy sets it when the session is next asked for its connection."""
        self._opened = None
        return super().begin_nested()

    async def commit(self) -> None:
        """Commits. The next statement begins another transaction."""
        self._opened = None
        await super().commit()

    async def rollback(self) -> None:
        """Rolls back. The next statement begins another transaction."""
        self._opened = None
        await super().rollback()

    async def close(self) -> None:
        """Ends the transaction and returns the connection."""
        self._opened = None
        await super().close()
