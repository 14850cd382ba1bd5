"""Inserts with a rule for a row that exists already. SQLite and PostgreSQL have different classes for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Table, case
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database.tables import tasks


async def insert_new(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[Row[Any]]:
    """Inserts the rows whose key does not exist yet and returns the primary keys of the new rows."""
    if not rows:
        return []
    statement = upsert(session, table).values(rows).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return list((await session.execute(statement)).all())


async def insert_newer(session: AsyncSession, table: Table, row: Mapping[str, Any], version: str) -> None:
    """Inserts a row, or replaces the row with the same key if its column `version` is lower."""
    insert = upsert(session, table)
    newer = table.c[version] < insert.excluded[version]
    key = [*table.primary_key.columns]
    await session.execute(insert.values(row).on_conflict_do_update(index_elements=key, set_=row, where=newer))


async def enqueue_tasks(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts tasks. A task that exists already is requested once more, and due at the earlier of both instants."""
    if not rows:
        return
    insert = upsert(session, tasks)
    sooner = case((tasks.c.due_at < insert.excluded.due_at, tasks.c.due_at), else_=insert.excluded.due_at)
    both = {"asked": tasks.c.asked + 1, "due_at": sooner, "scheduled": tasks.c.scheduled & insert.excluded.scheduled}
    await session.execute(insert.on_conflict_do_update(index_elements=["kind", "key"], set_=both), list(rows))


async def add_one(session: AsyncSession, table: Table, key: Mapping[str, Any], column: str) -> int:
    """Increments a counter and returns it. A concurrent transaction waits until this one has committed."""
    counter = upsert(session, table).values({**key, column: 1})
    raised = counter.on_conflict_do_update(index_elements=[*key], set_={column: table.c[column] + 1})
    return int((await session.execute(raised.returning(table.c[column]))).scalar_one())


async def raise_to(session: AsyncSession, table: Table, key: Mapping[str, Any], column: str, least: int) -> None:
    """Sets a counter to `least` if it is lower."""
    counter, present = upsert(session, table).values({**key, column: least}), table.c[column]
    raised = case((present < least, least), else_=present)
    await session.execute(counter.on_conflict_do_update(index_elements=[*key], set_={column: raised}))


def upsert(session: AsyncSession, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert in the session's dialect: it has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)
