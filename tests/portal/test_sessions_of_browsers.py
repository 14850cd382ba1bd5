"""The sessions of browsers in the database: only the cookie opens what is stored (decision 0025)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url, select, update

from services.portal.browsers import Browsers
from services.portal.saved_forms import SavedForms
from services.portal.tables import browsers
from shared.database.engine import Database
from tests.conftest import Databases

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)


@pytest.fixture
async def database(sqlite_databases: Databases) -> AsyncIterator[Database]:
    opened = Database(make_url(sqlite_databases.of("portal")))
    yield opened
    await opened.close()


def sessions(database: Database) -> Browsers:
    bus: Any = None  # no request is sent
    return Browsers(database, bus)


async def test_a_copy_of_the_database_opens_no_session(database: Database) -> None:
    browser = await sessions(database).begin({"token": "a secret token"}, NOW)

    async with database.reading() as session:
        stored = repr((await session.execute(select(browsers))).all())
    assert "a secret token" not in stored
    assert browser.cookie not in stored
    found = await sessions(database).find(browser.cookie)
    assert found
    assert found.sealed == {"token": "a secret token"}


async def test_the_content_of_one_session_does_not_open_with_the_cookie_of_another(database: Database) -> None:
    mine = await sessions(database).begin({"token": "mine"}, NOW)
    theirs = await sessions(database).begin({"token": "theirs"}, NOW)

    async with database.writing() as transaction:
        rows = {row.sealed for row in (await transaction.session.execute(select(browsers))).all()}
        for sealed in rows:  # the last one is that of one of them only
            await transaction.session.execute(update(browsers).values(sealed=sealed))

    found = [await sessions(database).find(browser.cookie) for browser in (mine, theirs)]
    assert [browser is None for browser in found].count(True) == 1


async def test_an_act_without_a_saved_form_waits_for_no_writer_of_the_database(database: Database) -> None:
    saved, person = SavedForms(database), uuid4()
    await saved.save(person, "/portal/products/new", "{}", NOW)

    async with database.writing():
        async with asyncio.timeout(1):
            await saved.forget(person, "/portal/account")
    await saved.forget(person, "/portal/products/new")

    assert await saved.find(person, "/portal/products/new") is None


@pytest.mark.parametrize("cookie", [None, "", "x" * 43, "x" * 101, "ខ្មែរ", "\x00"])
async def test_an_unknown_cookie_is_no_session(database: Database, cookie: str | None) -> None:
    assert await sessions(database).find(cookie) is None
