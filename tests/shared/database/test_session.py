"""Statements without entities go to the connection directly, and SQLite runs in place, without stopping the others."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, make_url, select
from sqlalchemy.orm import registry

from shared.database.engine import Database
from tests.conftest import Databases

TABLES = MetaData()
things = Table("things", TABLES, Column("id", Integer, primary_key=True), Column("name", String(20), nullable=False))
others = Table("others", TABLES, Column("id", Integer, primary_key=True))


class Thing:
    """An entity."""

    def __init__(self, thing_id: int, name: str) -> None:
        self.id, self.name = thing_id, name


registry(metadata=TABLES).map_imperatively(Thing, things)
NAMES = select(things.c.name).order_by(things.c.id)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(make_url(database_url))
    async with opened.engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)
    yield opened
    await opened.close()


async def names(database: Database) -> list[str]:
    async with database.reading() as session:
        return list(await session.scalars(NAMES))


async def test_a_direct_statement_sees_changed_objects(database: Database) -> None:
    async with database.writing() as transaction:
        thing = Thing(1, "new")
        transaction.session.add(thing)
        assert list(await transaction.session.scalars(NAMES)) == ["new"]
        thing.name = "changed"
        assert await transaction.session.scalar(NAMES) == "changed"


async def test_without_autoflush_a_direct_statement_writes_nothing(database: Database) -> None:
    async with database.writing() as transaction:
        transaction.session.add(Thing(1, "new"))
        with transaction.session.no_autoflush:
            assert list(await transaction.session.scalars(NAMES)) == []
    assert await names(database) == ["new"]


async def test_entities_and_rows_are_of_one_transaction(database: Database) -> None:
    async with database.writing() as transaction:
        await transaction.session.execute(insert(things).values(id=1, name="row"))
        thing = await transaction.session.get_one(Thing, 1)
        assert thing.name == "row"
        await transaction.end(commit=False)
        await transaction.begin()
        assert list(await transaction.session.scalars(NAMES)) == []


async def test_a_savepoint_undoes_direct_statements(database: Database) -> None:
    async with database.writing() as transaction:
        session = transaction.session
        await session.execute(insert(things).values(id=1, name="kept"))
        savepoint = await session.begin_nested()
        await session.execute(insert(things).values(id=2, name="undone"))
        await savepoint.rollback()
        async with session.begin_nested():
            await session.execute(insert(things).values(id=3, name="kept too"))
        await session.execute(insert(things).values(id=4, name="last"))
    assert await names(database) == ["kept", "kept too", "last"]


async def test_a_statement_after_a_commit_begins_another_transaction(database: Database) -> None:
    async with database.writing() as transaction:
        await transaction.session.execute(insert(things).values(id=1, name="first"))
        await transaction.end()
        await transaction.begin()
        await transaction.session.execute(insert(things).values(id=2, name="second"))
        await transaction.end(commit=False)
    assert await names(database) == ["first"]


async def test_a_writer_that_waits_for_another_process_does_not_stop_other_tasks(sqlite_databases: Databases) -> None:
    url = make_url(sqlite_databases.empty())
    one, other = Database(url), Database(url)  # two connections wait for each other as two processes do
    async with one.engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)
    turns = 0

    async def counting() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    async def write(database: Database, name: str) -> None:
        async with database.writing() as transaction:
            await transaction.session.execute(insert(things).values(name=name))
            await asyncio.sleep(0.1)

    counter = asyncio.create_task(counting())
    await asyncio.gather(write(one, "one"), write(other, "other"))
    counter.cancel()

    assert turns > 20
    assert sorted(await names(one)) == ["one", "other"]
    await one.close()
    await other.close()


async def test_a_task_that_only_writes_lets_others_run(sqlite_databases: Databases) -> None:
    database = Database(make_url(sqlite_databases.empty()))
    async with database.engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)

    async def write_on() -> None:
        while True:
            async with database.writing() as transaction:
                await transaction.session.execute(insert(others))

    writer = asyncio.create_task(write_on())
    async with asyncio.timeout(10):
        for _ in range(5):  # each needs a turn of the event loop
            await asyncio.sleep(0)
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await database.close()


async def test_a_cancelled_writer_leaves_no_lock(sqlite_databases: Databases) -> None:
    database = Database(make_url(sqlite_databases.empty()))
    async with database.engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)

    async def write_slowly() -> None:
        async with database.writing() as transaction:
            await transaction.session.execute(insert(things).values(id=1, name="cancelled"))
            await asyncio.sleep(60)

    slow = asyncio.create_task(write_slowly())
    await asyncio.sleep(0.05)
    slow.cancel()
    began = time.monotonic()
    async with database.writing() as transaction:
        await transaction.session.execute(insert(things).values(id=2, name="next"))

    assert time.monotonic() - began < 5
    assert await names(database) == ["next"]
    await database.close()


async def test_a_file_is_opened_by_the_driver_in_place(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path / 'new.db'}"))
    async with database.reading() as session:
        connection: Any = await session.connection()
        assert connection.dialect.driver == "in_place"
    await database.close()
