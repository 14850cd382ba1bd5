"""Inserts with a rule for a row that exists already. SQLite and PostgreSQL have different classes for them.

Each statement is built once for a dialect and a table, because building one costs more than executing it.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable, Row, Table, bindparam, case
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from shared.database.tables import tasks


async def insert_new(session: AsyncSession, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[Row[Any]]:
    """Inserts the rows whose key does not exist yet and returns the primary keys of the new rows."""
    if not rows:
        return []
    return list((await session.execute(_inserting_new(dialect_of(session), table), list(rows))).all())


async def insert_newer(session: AsyncSession, table: Table, row: Mapping[str, Any], version: str) -> None:
    """Inserts a row, or replaces the row with the same key if its column `version` is lower."""
    await session.execute(_inserting_newer(dialect_of(session), table, tuple(row), version), dict(row))


async def enqueue_tasks(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts tasks. A task that exists already is requested once more, and due at the earlier of both instants."""
    if rows:
        await session.execute(_enqueueing(dialect_of(session)), list(rows))


async def add_one(session: AsyncSession, table: Table, key: Mapping[str, Any], column: str) -> int:
    """Increments a counter and returns it. A concurrent transaction waits until this one has committed."""
    statement = _adding_one(dialect_of(session), table, tuple(key), column)
    return int((await session.execute(statement, {**key, column: 1})).scalar_one())


async def raise_to(session: AsyncSession, table: Table, key: Mapping[str, Any], column: str, least: int) -> None:
    """Sets a counter to `least` if it is lower."""
    statement = _raising(dialect_of(session), table, tuple(key), column)
    await session.execute(statement, {**key, column: least})


def dialect_of(session: AsyncSession) -> str:
    """`sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


def upsert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert of the dialect: it has `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _inserting_new(dialect: str, table: Table) -> Executable:
    return upsert(dialect, table).on_conflict_do_nothing().returning(*table.primary_key.columns)


@cache
def _inserting_newer(dialect: str, table: Table, columns: tuple[str, ...], version: str) -> Executable:
    insert = upsert(dialect, table).values({name: bindparam(name) for name in columns})
    newer = table.c[version] < insert.excluded[version]
    values = {name: insert.excluded[name] for name in columns}
    return insert.on_conflict_do_update(index_elements=[*table.primary_key.columns], set_=values, where=newer)


@cache
def _enqueueing(dialect: str) -> Executable:
    insert = upsert(dialect, tasks)
    sooner = case((tasks.c.due_at < insert.excluded.due_at, tasks.c.due_at), else_=insert.excluded.due_at)
    both = {"asked": tasks.c.asked + 1, "due_at": sooner, "scheduled": tasks.c.scheduled & insert.excluded.scheduled}
    return insert.on_conflict_do_update(index_elements=["kind", "key"], set_=both)


@cache
def _adding_one(dialect: str, table: Table, key: tuple[str, ...], column: str) -> Executable:
    counter = upsert(dialect, table).values({name: bindparam(name) for name in (*key, column)})
    raised = counter.on_conflict_do_update(index_elements=[*key], set_={column: table.c[column] + 1})
    return raised.returning(table.c[column])


@cache
def _raising(dialect: str, table: Table, key: tuple[str, ...], column: str) -> Executable:
    counter, present = upsert(dialect, table).values({name: bindparam(name) for name in (*key, column)}), table.c[column]
    raised = case((present < counter.excluded[column], counter.excluded[column]), else_=present)
    return counter.on_conflict_do_update(index_elements=[*key], set_={column: raised})
