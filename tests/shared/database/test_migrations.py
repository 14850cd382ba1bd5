"""The schema: made once, the same as the tables say, and never mistaken for another release's."""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, make_url, select, text

from shared.contracts.index import SERVICES
from shared.database.engine import Database
from shared.database.migrations.schema import PLUMBING_VERSIONS, SchemaMismatch, check_schema, heads_of, migrate
from shared.database.tables import PLUMBING, runnable_revisions
from tests.conftest import Databases
from tests.support.plumbing_stack import PlumbingStack, a_payment
from tests.support.releases import ROOT, Step, a_newer_release, contraction, contractions_in, expansion, migrated_by, run

pytestmark = pytest.mark.slow

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
    async with database.writing() as transaction:
        await transaction.session.execute(text(statement))
    await database.close()


def differences(connection: Connection, *metadata: MetaData) -> list[Any]:
    return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), list(metadata))


@pytest.mark.parametrize("service", PRESENT)
async def test_the_migrated_schema_is_what_the_tables_say_and_migrating_again_changes_nothing(
    databases: Databases, service: str
) -> None:
    folder = ROOT / "services" / service
    places = {"tables.py": "tables", "store/tables.py": "store.tables", "store.py": "store", "store/__init__.py": "store"}
    module = next(name for file, name in places.items() if (folder / file).is_file())
    url, tables = databases.of(service), import_module(f"services.{service}.{module}").TABLES

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


async def test_a_newer_schema_that_says_nothing_of_this_release_is_refused(databases: Databases) -> None:
    url = databases.of("fees")
    await execute(url, "UPDATE alembic_version SET version_num = 'fees_9999' WHERE version_num LIKE 'fees%'")
    await execute(url, "DROP TABLE runnable_revisions")

    with pytest.raises(SchemaMismatch, match="has the schema fees_9999, which is newer than this release"):
        await on(url, check_schema, "fees")
    with pytest.raises(SchemaMismatch, match="newer than this release"):
        await asyncio.to_thread(migrate, "fees", make_url(url))


async def test_the_schema_of_another_service_is_refused(databases: Databases) -> None:
    with pytest.raises(SchemaMismatch):
        await on(databases.of("fees"), check_schema, "certificates")


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


async def runnable_on(url: str) -> set[str]:
    return set(await on(url, lambda connection: connection.scalars(select(runnable_revisions.c.revision)).all()))


async def test_a_replica_of_an_older_release_starts_and_works_on_a_schema_that_was_only_expanded(
    stack: PlumbingStack, tmp_path: Path
) -> None:
    newer = a_newer_release(tmp_path / "newer", *map(expansion, ("fees_next", "fees_later", "plumbing_next")))
    await migrated_by(newer, stack.url)

    await stack.replica()
    invoice = await (await stack.asker()).ask(a_payment(slip_number="SLIP-7"), token=stack.token())

    assert invoice.settled
    assert await stack.effects() == ["SLIP-7"]


async def test_an_older_release_that_migrates_leaves_an_expanded_schema_as_it_is(databases: Databases, tmp_path: Path) -> None:
    url = databases.of("fees")
    await migrated_by(a_newer_release(tmp_path / "newer", expansion("fees_next")), url)
    before = await runnable_on(url)

    await asyncio.to_thread(migrate, "fees", make_url(url))

    assert await runnable_on(url) == before
    assert {"fees_0001", "fees_next", *heads_of("fees")} <= before
    await on(url, check_schema, "fees")


@pytest.mark.parametrize(
    "steps",
    [
        (contraction("fees_next", "fees_next"),),
        (contraction("fees_next", "fees_next"), expansion("fees_later")),
        (expansion("fees_next"), contraction("fees_later", "fees_next")),
        (contraction("plumbing_next", "plumbing_next"), expansion("fees_next")),
    ],
    ids=["contracted", "contracted and expanded", "expanded and contracted a release later", "contracted in the plumbing"],
)
@pytest.mark.slow
async def test_a_schema_that_lacks_what_this_release_needs_is_refused(
    databases: Databases, tmp_path: Path, steps: tuple[Step, ...]
) -> None:
    url = databases.of("fees")
    await migrated_by(a_newer_release(tmp_path / "newer", *steps), url)

    for what in ("serve", "migrate"):
        code, said = await run(what, url)
        assert code == 3
        assert f"has the schema {steps[-1].revision}" in said.replace("plumbing_next", steps[-1].revision)
        assert "which is newer than this release: run the newer release, or restore" in said
        assert "Traceback" not in said


@pytest.mark.slow
async def test_what_is_contracted_a_release_later_leaves_the_release_between_at_work(
    databases: Databases, tmp_path: Path
) -> None:
    url = databases.of("fees")
    between = a_newer_release(tmp_path / "between", expansion("fees_next"))
    newest = a_newer_release(tmp_path / "newest", expansion("fees_next"), contraction("fees_later", "fees_next"))

    await migrated_by(between, url)
    await migrated_by(newest, url)

    assert {"fees_next", "fees_later"} == {revision for revision in await runnable_on(url) if revision.startswith("fees")}
    await migrated_by(between, url)  # which finds nothing to do


async def test_a_database_from_before_this_rule_learns_it_when_it_is_migrated(databases: Databases) -> None:
    url = databases.of("fees")
    for table in ("runnable_revisions", "trail", "trail_seals", "used_step_ups", "revoked_mandates"):
        await execute(url, f"DROP TABLE {table}")
    await execute(url, "UPDATE alembic_version SET version_num = 'plumbing_0003' WHERE version_num LIKE 'plumbing%'")
    with pytest.raises(SchemaMismatch, match="lacks plumbing_"):
        await on(url, check_schema, "fees")

    await asyncio.to_thread(migrate, "fees", make_url(url))

    assert heads_of("fees") <= await runnable_on(url)
    await on(url, check_schema, "fees")


async def test_a_migration_that_names_code_that_never_was_is_not_run(sqlite_databases: Databases, tmp_path: Path) -> None:
    url = sqlite_databases.of("fees")
    code, said = await run("migrate", url, a_newer_release(tmp_path / "newer", contraction("fees_next", "fees_9999")))

    assert code == 1
    assert "`oldest_code` names fees_9999, which is no revision before fees_next" in said
    await on(url, check_schema, "fees")


MIGRATIONS = [*PLUMBING_VERSIONS.glob("*.py"), *(ROOT / "services").glob("*/migrations/*.py")]


@pytest.mark.parametrize("migration", MIGRATIONS, ids=lambda file: file.stem)
def test_a_migration_that_does_not_say_that_it_contracts_only_expands(migration: Path) -> None:
    source = migration.read_text()

    assert "oldest_code = " in source or list(contractions_in(source)) == []


@pytest.mark.parametrize(
    "step",
    [
        'op.drop_column("payments", "paid_on")',
        'op.rename_table("payments", "receipts")',
        'op.alter_column("payments", "paid_on", nullable=False)',
        'op.alter_column("payments", "paid_on", new_column_name="day")',
        'op.add_column("payments", sa.Column("note", sa.Text(), nullable=False))',
        'op.create_index("ix_note", "payments", ["note"], unique=True)',
        'op.create_unique_constraint("once", "payments", ["paid_on"])',
    ],
)
def test_a_step_that_old_code_may_not_survive_is_seen(step: str) -> None:
    assert len(list(contractions_in(step))) == 1
