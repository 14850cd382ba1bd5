"""The schema: made once, the same as the tables say, and never mistaken for another release's."""

import asyncio
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, make_url, text

from shared.contracts.catalogue import SERVICES
from shared.database import Database
from shared.migrations.schema import SchemaMismatch, check_schema, migrate
from shared.tables import PLUMBING
from tests.bus import free_port
from tests.conftest import Databases

ROOT = Path(__file__).parents[2]
PRESENT = [name for name in SERVICES if list((ROOT / "services" / name / "migrations").glob("*.py"))]


async def on(url: str, step: Any, *arguments: Any) -> Any:
    """Runs a step with a plain connection."""
    database = Database(make_url(url))
    try:
        async with database.engine.connect() as connection:
            return await connection.run_sync(step, *arguments)
    finally:
        await database.close()


async def execute(url: str, statement: str) -> None:
    database = Database(make_url(url))
    async with database.engine.begin() as connection:
        await connection.execute(text(statement))
    await database.close()


def differences(connection: Connection, *metadata: MetaData) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), list(metadata))


@pytest.mark.parametrize("service", PRESENT)
async def test_the_migrated_schema_is_what_the_tables_say_and_migrating_again_changes_nothing(
    databases: Databases, service: str
) -> None:
    url, tables = databases.of(service), import_module(f"services.{service}.store").TABLES

    assert await on(url, differences, PLUMBING, tables) == []
    await on(url, check_schema, service)
    await asyncio.to_thread(migrate, service, make_url(url))
    assert await on(url, differences, PLUMBING, tables) == []


async def test_a_schema_that_is_not_there_is_refused(database_url: str) -> None:
    with pytest.raises(SchemaMismatch, match=r"lacks fees_\d+, plumbing_\d+: run `python -m services.fees migrate` first"):
        await on(database_url, check_schema, "fees")


async def test_an_older_schema_is_refused(databases: Databases) -> None:
    url = databases.of("fees")
    await execute(url, "DELETE FROM alembic_version WHERE version_num LIKE 'fees%'")

    with pytest.raises(SchemaMismatch, match="lacks fees_"):
        await on(url, check_schema, "fees")


async def test_a_newer_schema_is_refused(databases: Databases) -> None:
    url = databases.of("fees")
    await execute(url, "UPDATE alembic_version SET version_num = 'fees_9999' WHERE version_num LIKE 'fees%'")

    with pytest.raises(SchemaMismatch, match="has the schema fees_9999, which is newer than this release"):
        await on(url, check_schema, "fees")


async def test_the_schema_of_another_service_is_refused(databases: Databases) -> None:
    with pytest.raises(SchemaMismatch):
        await on(databases.of("fees"), check_schema, "certificates")


async def run(what: str, url: str) -> tuple[int | None, str]:
    """How the process of the service fees ends, and what it says."""
    present = os.environ | {"CO_DATABASE_URL": url, "CO_NATS_SEED_FILE": __file__, "CO_HTTP_PORT": str(free_port())}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.fees",
        what,
        cwd=ROOT,
        env=present,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, said.decode()


async def test_a_service_ends_with_3_on_a_schema_that_is_not_its_own(sqlite_databases: Databases) -> None:
    code, said = await run("serve", sqlite_databases.empty())

    assert code == 3
    assert "run `python -m services.fees migrate` first" in said


async def test_a_service_migrates_its_database(sqlite_databases: Databases) -> None:
    url = sqlite_databases.empty()
    code, _ = await run("migrate", url)

    assert code == 0
    await on(url, check_schema, "fees")


async def test_two_who_migrate_at_once_do_no_harm(databases: Databases) -> None:
    url = databases.empty()

    ended = await asyncio.gather(run("migrate", url), run("migrate", url))

    assert [code for code, _ in ended] == [0, 0], "\n".join(said for _, said in ended)
    await on(url, check_schema, "fees")
