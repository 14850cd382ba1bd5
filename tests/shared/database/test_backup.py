"""Copies of a database: whole, of one instant, put back only where they belong."""

import asyncio
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, Table, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError

from cli.backup_archive import MANIFEST, BackupRefused, Manifest, restore, take_backup
from shared.database.engine import Database
from shared.database.migrations.schema import heads_of, migrate
from shared.database.tables import files, recoveries, signing_keys
from tests.conftest import Databases, eventually
from tests.support.postgres import Postgres
from tests.support.releases import a_newer_release, expansion, migrated_by
from tests.support.service_under_test import migrate_in_thread

pytestmark = pytest.mark.slow


async def rows(url: URL, table: Table) -> Sequence[Any]:
    database = Database(url)
    async with database.reading() as session:
        found = (await session.execute(select(table).order_by(*table.primary_key.columns))).all()
    await database.close()
    return found


async def write(url: URL, *statements: Any) -> None:
    database = Database(url)
    async with database.writing() as transaction:
        for statement in statements:
            await transaction.session.execute(statement)
    await database.close()


def a_file(size: int = 1) -> Any:
    return insert(files).values(owner_id=uuid4(), sha256="0" * 64, size=size, media_type="text/plain", complete=True)


async def copied(url: URL, file: Path, name: str = "fees", country: str = "KH") -> Manifest:
    return await asyncio.to_thread(take_backup, name, country, url, file)


async def restored(url: URL, file: Path, name: str = "fees", country: str = "KH") -> Manifest:
    return await asyncio.to_thread(restore, name, country, url, file)


def newest_of(name: str) -> str:
    """The newest revision of a service."""
    (newest,) = [head for head in heads_of(name) if head.startswith(name)]
    return newest


@pytest.fixture
def url(databases: Databases) -> URL:
    return make_url(databases.of("fees"))


@pytest.fixture
def sqlite_url(sqlite_databases: Databases) -> URL:
    return make_url(sqlite_databases.of("fees"))


async def test_a_restored_database_is_as_it_was_copied_and_its_service_is_to_recover(url: URL, tmp_path: Path) -> None:
    await write(url, a_file())
    before, copy = await rows(url, files), tmp_path / "fees.copy"
    manifest = await copied(url, copy)
    await write(url, a_file(), a_file())

    for _ in range(2):  # and again
        assert await restored(url, copy) == manifest

        assert await rows(url, files) == before
        (recovery,) = await rows(url, recoveries)
        assert (recovery.copy_taken_at, recovery.confirmed_at) == (manifest.taken_at, None)
        assert "fees.copy" in recovery.because
    assert copy.stat().st_mode & 0o777 == 0o600
    assert (manifest.service, manifest.country, set(manifest.schema)) == ("fees", "KH", heads_of("fees"))


async def test_in_a_restored_database_everybody_may_do_what_they_could_before(
    postgres: Postgres, postgres_databases: Databases, tmp_path: Path
) -> None:
    url, copy = make_url(postgres_databases.of("fees")), tmp_path / "fees.copy"
    await copied(url, copy)
    roles = ("migrator", "fees")
    for role in roles:
        postgres.sql(f"CREATE ROLE {role} LOGIN")

    await restored(url, copy)

    try:
        await write(url.set(username="fees"), a_file(), update(recoveries).values(confirmed_at=datetime.now(UTC)))
        with pytest.raises(DBAPIError, match="must be owner"):
            await write(url.set(username="fees"), text("ALTER TABLE files ADD COLUMN mine int"))
        with pytest.raises(DBAPIError, match="permission denied"):
            await write(url.set(username="fees"), text("CREATE TABLE mine (a int)"))
        await write(
            url.set(username="migrator"), text("ALTER TABLE files ADD COLUMN theirs int"), text("CREATE TABLE t (a int)")
        )
        await write(url.set(username="fees"), text("INSERT INTO t VALUES (1)"))
    finally:
        for role in reversed(roles):
            postgres.sql(f"DROP OWNED BY {role} CASCADE", str(url.database))
            postgres.sql(f"DROP ROLE {role}")


async def test_a_copy_taken_while_others_write_is_of_one_instant(url: URL, tmp_path: Path) -> None:
    await write(url, a_file(size=0), a_file(size=0))
    stopping = asyncio.Event()

    async def go_on() -> None:
        database = Database(url)
        while not stopping.is_set():  # both rows always say the same
            async with database.writing() as transaction:
                await transaction.session.execute(update(files).values(size=files.c.size + 1))
        await database.close()

    writing = asyncio.create_task(go_on())

    async def has_begun() -> bool:
        return (await rows(url, files))[0].size > 0

    await eventually(has_begun)
    for number in range(3):
        await copied(url, tmp_path / f"{number}.copy")
    stopping.set()
    await writing

    for number in range(3):
        await restored(url, tmp_path / f"{number}.copy")
        one, other = await rows(url, files)
        assert one.size == other.size > 0


@pytest.mark.parametrize(
    ("name", "country", "said"),
    [("registry", "KH", "is a backup of fees KH"), ("fees", "VN", "cannot be restored as fees VN")],
)
async def test_another_services_copy_is_refused(url: URL, tmp_path: Path, name: str, country: str, said: str) -> None:
    copy = tmp_path / "fees.copy"
    await copied(url, copy)
    await write(url, a_file())

    with pytest.raises(BackupRefused, match=said):
        await restored(url, copy, name, country)

    assert len(await rows(url, files)) == 1
    assert await rows(url, recoveries) == []


async def test_a_copy_of_another_kind_of_database_is_refused(sqlite_url: URL, tmp_path: Path) -> None:
    copy = tmp_path / "fees.copy"
    await copied(sqlite_url, copy)

    with pytest.raises(BackupRefused, match="is a backup of fees KH sqlite and cannot be restored as fees KH postgresql"):
        await restored(make_url("postgresql+asyncpg://co@127.0.0.1:1/fees"), copy)


async def test_a_copy_that_is_cut_off_or_altered_anywhere_is_refused(sqlite_url: URL, tmp_path: Path) -> None:
    copy = tmp_path / "fees.copy"
    await copied(sqlite_url, copy)
    await write(sqlite_url, a_file())
    whole, damaged = copy.read_bytes(), tmp_path / "damaged.copy"
    cut = [whole[: len(whole) * part // 10] for part in range(10)] + [whole[:-1]]
    places = range(40, len(whole), len(whole) // 10)
    altered = [whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :] for place in places]

    for content in (*cut, *altered, b"no zip at all"):
        damaged.write_bytes(content)
        with pytest.raises(BackupRefused, match=r"damaged|truncated"):
            await restored(sqlite_url, damaged)

    assert len(await rows(sqlite_url, files)) == 1
    assert await rows(sqlite_url, recoveries) == []


async def test_a_copy_that_is_not_there_is_refused(sqlite_url: URL, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="There is no backup"):
        await restored(sqlite_url, tmp_path / "nothing.copy")


async def test_a_copy_with_a_newer_schema_is_refused(url: URL, tmp_path: Path) -> None:
    copy, newer = tmp_path / "fees.copy", tmp_path / "newer.copy"
    present = newest_of("fees").encode()
    await copied(url, copy)
    with zipfile.ZipFile(copy) as old, zipfile.ZipFile(newer, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(present, b"fees_9999") if name == MANIFEST else old.read(name))

    with pytest.raises(BackupRefused, match="fees_9999, which this release does not know"):
        await restored(url, newer)


async def test_a_copy_of_a_schema_that_a_newer_release_has_only_expanded_is_put_back(url: URL, tmp_path: Path) -> None:
    await migrated_by(a_newer_release(tmp_path / "newer", expansion("fees_next")), url.render_as_string(hide_password=False))
    await write(url, a_file())
    before, copy = await rows(url, files), tmp_path / "fees.copy"
    assert "fees_next" in (await copied(url, copy)).schema

    await restored(url, copy)

    assert await rows(url, files) == before
    assert len(await rows(url, recoveries)) == 1


async def test_an_empty_database_is_not_copied(sqlite_databases: Databases, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="The database of fees has no schema"):
        await copied(make_url(sqlite_databases.empty()), tmp_path / "fees.copy")


async def test_a_database_in_use_is_not_replaced(url: URL, tmp_path: Path) -> None:
    copy = tmp_path / "fees.copy"
    await copied(url, copy)
    await write(url, a_file())
    database = Database(url)
    async with database.reading() as session:
        assert (await session.execute(select(files))).all()

        with pytest.raises(BackupRefused, match="is in use: stop its service first"):
            await restored(url, copy)
    await database.close()

    assert len(await rows(url, files)) == 1


@pytest.mark.parametrize("present", [None, b"", b"no database" * 1000], ids=["absent", "empty", "broken"])
async def test_a_copy_replaces_whatever_is_there(sqlite_url: URL, tmp_path: Path, present: bytes | None) -> None:
    await write(sqlite_url, a_file())
    copy, file = tmp_path / "fees.copy", Path(str(sqlite_url.database))
    await copied(sqlite_url, copy)
    file.unlink()
    if present is not None:
        file.write_bytes(present)

    await restored(sqlite_url, copy)

    assert len(await rows(sqlite_url, files)) == 1


async def test_a_restore_can_be_undone(sqlite_url: URL, tmp_path: Path) -> None:
    copy, file = tmp_path / "fees.copy", Path(str(sqlite_url.database))
    await copied(sqlite_url, copy)
    await write(sqlite_url, a_file())

    await restored(sqlite_url, copy)

    (kept,) = file.parent.glob(f"{file.stem}.before-restore-*")
    assert len(await rows(sqlite_url.set(database=str(kept)), files)) == 1


FORMER = ("certificates_0003", "certificates_0004", "fees_0001", "gateway_0001")


@pytest.mark.parametrize("former", FORMER)
async def test_an_older_schema_is_brought_up_to_date(sqlite_databases: Databases, tmp_path: Path, former: str) -> None:
    name, copy = former.split("_")[0], tmp_path / "former.copy"
    url, older = make_url(sqlite_databases.of(name)), make_url(sqlite_databases.empty())
    for revision in ("plumbing@head", former):
        await asyncio.to_thread(migrate, name, older, revision)
    assert former in (await copied(older, copy, name)).schema

    await restored(url, copy, name)

    assert newest_of(name) in (await copied(url, tmp_path / "now.copy", name)).schema


async def test_killed_in_the_midst_of_it_no_half_copy_bears_its_name(sqlite_url: URL, tmp_path: Path) -> None:
    big = [{"key_id": str(number), "public_key": "x" * 1000} for number in range(20_000)]
    long = dict.fromkeys(("not_before", "not_after"), datetime(2026, 1, 1, tzinfo=UTC))
    database = Database(sqlite_url)
    async with database.writing() as transaction:
        await transaction.session.execute(insert(signing_keys), [row | long for row in big])
    await database.close()
    copy = tmp_path / "fees.copy"
    program = (
        "import sys; from pathlib import Path; from sqlalchemy import make_url; from cli.backup_archive import take_backup; "
    )
    program += "take_backup('fees', 'KH', make_url(sys.argv[1]), Path(sys.argv[2]))"
    process = subprocess.Popen([sys.executable, "-c", program, str(sqlite_url), str(copy)])

    await eventually(lambda: any(tmp_path.iterdir()), within=20)
    process.send_signal(signal.SIGKILL)
    process.wait()

    assert not copy.exists()
    assert (await copied(sqlite_url, copy)).size > 20_000_000


async def test_a_copy_that_cannot_be_written_is_refused_and_leaves_nothing(sqlite_url: URL, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match=r"cannot be backed up to .*: No such file or directory"):
        await copied(sqlite_url, tmp_path / "nowhere" / "fees.copy")
    migrate_in_thread("fees", sqlite_url)
    assert list(tmp_path.iterdir()) == []
