"""Pages of a list: complete, in order, and stable while rows are added."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, Uuid, insert, make_url, select

from shared.database.column_types import UtcDateTime
from shared.database.engine import Database
from shared.database.paging import By, CursorMalformed, page_of

TABLES = MetaData()
rows = Table(
    "rows",
    TABLES,
    Column("id", Uuid, primary_key=True),
    Column("name", String(10), nullable=False),
    Column("size", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
BEGIN = datetime(2026, 11, 26, 12, 0, 0, 123456, tzinfo=UTC)
ORDERS = {
    "newest first": (By(rows.c.at, descending=True), By(rows.c.id)),
    "by name": (By(rows.c.name), By(rows.c.id)),
    "mixed": (By(rows.c.size, descending=True), By(rows.c.name), By(rows.c.id, descending=True)),
}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(make_url(database_url))
    async with opened.engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)
    yield opened
    await opened.close()


async def add(database: Database, count: int, at: datetime = BEGIN) -> None:
    async with database.writing() as transaction:
        new = [
            {"id": uuid4(), "name": f"name {number % 3}", "size": number % 4, "at": at + timedelta(seconds=number // 2)}
            for number in range(count)
        ]
        await transaction.session.execute(insert(rows), new)


async def ids_of(database: Database, order: Any, limit: int) -> list[UUID]:
    """The ids of all pages."""
    found: list[UUID] = []
    after = None
    async with database.reading() as session:
        while True:
            page, after = await page_of(session, select(rows), order, after, limit)
            assert len(page) <= limit
            found += [row.id for row in page]
            if after is None:
                return found


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
async def test_the_pages_together_are_the_list(order: Any, database: Database) -> None:
    await add(database, 23)

    assert await ids_of(database, order, 5) == await ids_of(database, order, 23)
    assert len(set(await ids_of(database, order, 4))) == 23


async def test_rows_that_are_added_meanwhile_do_not_shift_the_next_page(database: Database) -> None:
    await add(database, 6)
    order = ORDERS["newest first"]
    async with database.reading() as session:
        first, after = await page_of(session, select(rows), order, None, 3)
    await add(database, 4, BEGIN + timedelta(days=1))

    async with database.reading() as session:
        second, end = await page_of(session, select(rows), order, after, 3)

    assert end is None
    assert len({row.id for row in (*first, *second)}) == 6


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "bnVsbA", "W1siaSIsIngiXSxbInUiLCJ4Il1d", "W1sidSIsIjEiXV0"])
async def test_a_malformed_cursor_is_refused(cursor: str, database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(CursorMalformed):
            await page_of(session, select(rows), ORDERS["by name"], cursor, 3)


@pytest.mark.parametrize(
    "values",
    [
        [["s", "a"], ["u", str(UUID(int=1))]],
        [["i", "1"], ["u", str(UUID(int=1))]],
        [["t", "2026-11-26T12:00:00+00:00"], ["s", "a"]],
        [["t", "2026-11-26T12:00:00+00:00"]],
    ],
    ids=["text", "number", "text in place of an id", "too short"],
)
async def test_a_cursor_of_another_list_is_refused(values: Any, database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(CursorMalformed):
            await page_of(session, select(rows), ORDERS["newest first"], a_cursor(values), 3)


@pytest.mark.parametrize(("size", "name"), [("9" * 40, "a"), ("1", "a\0"), ("1", "\ud800"), ("x", "a")], ids=ascii)
async def test_a_cursor_with_values_that_no_database_stores_is_refused(size: str, name: str, database: Database) -> None:
    async with database.reading() as session:
        with pytest.raises(CursorMalformed):
            await page_of(session, select(rows), ORDERS["mixed"], a_cursor([["i", size], ["s", name], ["u", str(uuid4())]]), 3)


def a_cursor(values: Any) -> str:
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")
