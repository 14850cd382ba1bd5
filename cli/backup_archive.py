"""A consistent copy of one service's database, taken while it runs, and putting it back.

A copy is a zip file: `manifest.json` says whose it is, `database` is a SQLite file or an archive of `pg_dump`.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import URL, Executable, Row, insert, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.database.migrations.schema import RIGHTS, Schema, heads_of, migrate
from shared.database.tables import recoveries

MANIFEST, DATABASE = "manifest.json", "database"
LARGEST_MANIFEST = 64 * 1024
PIECE = 1024 * 1024
NOBODYS = ("--no-owner", "--no-privileges")
"""The roles of one server are not those of another."""

Prepare = Callable[[URL], None]
"""What is done to the database of a copy before it takes its place."""


class BackupRefused(Exception):
    """A copy cannot be taken or put back; the message says why in one sentence. Nothing was changed."""


@dataclass(frozen=True)
class Manifest:
    """Whose copy it is and when it was taken. `schema`: the revisions of its schema; `size`: bytes of the database.

    `runnable`: the revisions whose code can run on it, where the database knew them.
    """

    service: str
    country: str
    dialect: str
    schema: tuple[str, ...]
    taken_at: datetime
    size: int
    sha256: str
    release: str
    runnable: tuple[str, ...] = ()

    def as_json(self) -> str:
        """The form in which it stands in the copy."""
        return json.dumps(asdict(self) | {"taken_at": self.taken_at.isoformat()}, indent=2)

    @classmethod
    def read(cls, content: bytes) -> "Manifest":
        """Raises ValueError, TypeError or KeyError where it is none."""
        row = json.loads(content)
        schema, runnable = tuple(row["schema"]), tuple(row.get("runnable", ()))
        return cls(**row | {"schema": schema, "runnable": runnable, "taken_at": datetime.fromisoformat(row["taken_at"])})


def take_backup(service: str, country: str, url: URL, file: Path) -> Manifest:
    """Copies a database as it is at one instant; the file is there whole or not at all. Raises CopyRefused."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        with TemporaryDirectory(prefix=".copy-", dir=file.parent) as folder:
            taken_at, copied = datetime.now(UTC), Path(folder) / DATABASE
            (_copy_sqlite if _is_sqlite(url) else _copy_postgresql)(url, copied)
            found = asyncio.run(_schema(url.set(database=str(copied)) if _is_sqlite(url) else url))
            if not found.present:
                raise BackupRefused(f"The database of {service} has no schema: there is nothing to copy.")
            schema, runnable = tuple(sorted(found.present)), tuple(sorted(found.runnable))
            size, sha256 = copied.stat().st_size, _digest(copied)
            release = version("co-automation")
            manifest = Manifest(service, country, url.get_backend_name(), schema, taken_at, size, sha256, release, runnable)
            with os.fdopen(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as whole:
                with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                    archive.writestr(MANIFEST, manifest.as_json())
                    archive.write(copied, DATABASE)
                whole.flush()
                os.fsync(whole.fileno())
        unfinished.rename(file)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupRefused(f"The database of {service} cannot be copied to {file}: {_reason(error)}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def restore(service: str, country: str, url: URL, file: Path) -> Manifest:
    """Puts a copy in the place of a service's database, which is kept beside it; the service must not run.

    The service starts in recovery then. Raises CopyRefused, before anything is touched.
    """
    try:
        with _checked(service, country, url, file) as (manifest, copied):
            place = _place_sqlite if _is_sqlite(url) else _place_postgresql
            place(url, copied, datetime.now(UTC), lambda copy: _begin_recovery(service, copy, manifest, file))
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupRefused(f"{file} cannot be put in the place of the database of {service}: {_reason(error)}.") from None
    return manifest


@contextmanager
def _checked(service: str, country: str, url: URL, file: Path) -> Iterator[tuple[Manifest, Path]]:
    """The manifest and the database of a copy that may be put back here."""
    beside = Path(str(url.database)).parent if _is_sqlite(url) else file.parent
    with TemporaryDirectory(prefix=".restore-", dir=beside) as folder:
        copied = Path(folder) / DATABASE
        manifest = _unpacked(file, copied)
        mine, theirs = (service, country, url.get_backend_name()), (manifest.service, manifest.country, manifest.dialect)
        if mine != theirs:
            raise BackupRefused(f"{file} is a copy of {' '.join(theirs)}, and cannot be put back as {' '.join(mine)}.")
        schema = Schema(frozenset(manifest.schema), frozenset(manifest.runnable))
        if (newer := sorted(schema.newer_than(service))) and schema.lacks(service):
            raise BackupRefused(f"{file} has the schema {', '.join(newer)}, which this release does not know: use a newer one.")
        yield manifest, copied


def _unpacked(file: Path, copied: Path) -> Manifest:
    try:
        with zipfile.ZipFile(file) as archive:
            with archive.open(MANIFEST) as member:
                manifest = Manifest.read(member.read(LARGEST_MANIFEST))
            with archive.open(DATABASE) as packed, copied.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, PIECE)
    except FileNotFoundError:
        raise BackupRefused(f"There is no copy {file}.") from None
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError, NotImplementedError):
        raise BackupRefused(f"{file} is no copy of a database, or it is cut off or damaged.") from None
    if (copied.stat().st_size, _digest(copied)) != (manifest.size, manifest.sha256):
        raise BackupRefused(f"{file} is damaged: the database in it is not the one that was copied.")
    return manifest


def _begin_recovery(service: str, url: URL, manifest: Manifest, file: Path) -> None:
    """Brings the schema of a copy up to date, notes in it that the service is to recover, and says who may do what in it."""
    if set(manifest.schema) != heads_of(service):
        migrate(service, url)
    taken_at = manifest.taken_at
    because = f"It was restored from {file.name}, a copy taken on {taken_at:%Y-%m-%d} at {taken_at:%H:%M:%S} UTC."
    row = {"because": because, "copy_taken_at": taken_at, "began_at": datetime.now(UTC)}
    asyncio.run(_execute(url, insert(recoveries).values(row)))
    if not _is_sqlite(url):
        _give_rights(service, url)


def _give_rights(service: str, url: URL) -> None:
    """Lets a service and whoever migrates it do what they may, where the server knows both."""
    known = text("SELECT rolname FROM pg_roles WHERE rolname IN ('migrator', :service)").bindparams(service=service)
    if len(asyncio.run(_execute(url, known))) == 2:
        stopping = ("--quiet", "--set=ON_ERROR_STOP=1", f"--set=service={service}")
        _run(url, "psql", *stopping, f"--file={RIGHTS}", *_server(url), f"--dbname={url.database}")


def _copy_sqlite(url: URL, copied: Path) -> None:
    with closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as live, closing(sqlite3.connect(copied)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise BackupRefused(f"The database {url.database} is damaged: {verdict}.")


def _place_sqlite(url: URL, copied: Path, now: datetime, prepare: Prepare) -> None:
    database = Path(str(url.database))
    prepare(url.set(database=str(copied)))
    with closing(sqlite3.connect(copied)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")  # so that it is one file
    _must_be_alone(database)
    if database.exists():
        database.rename(database.with_name(f"{database.stem}.before-restore-{now:%Y%m%dT%H%M%S%fZ}{database.suffix}"))
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
    copied.rename(database)


def _must_be_alone(database: Path) -> None:
    """Raises CopyRefused where a process has the database open; empties its log into the file."""
    if not database.exists():
        return
    with closing(sqlite3.connect(database, timeout=0)) as live:
        try:
            live.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BackupRefused(f"The database {database} is in use: stop its service first.") from None
        except sqlite3.DatabaseError:
            pass  # it is what is to be replaced that is broken


def _copy_postgresql(url: URL, copied: Path) -> None:
    _run(
        url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={copied}", *_server(url), str(url.database)
    )


def _place_postgresql(url: URL, copied: Path, now: datetime, prepare: Prepare) -> None:
    name, stamp = str(url.database), f"{now:%Y%m%dt%H%M%S%fz}"
    new, old = f"{name}_restoring_{stamp}"[-63:], f"{name}_before_restore_{stamp}"[-63:]

    def administer(statement: str, **values: str) -> Sequence[Row[Any]]:
        return asyncio.run(_execute(url.set(database="postgres"), text(statement).bindparams(**values)))

    if administer("SELECT 1 FROM pg_stat_activity WHERE datname = :name", name=name):
        raise BackupRefused(f"The database {name} is in use: stop its service first.")
    administer(f'CREATE DATABASE "{new}" TEMPLATE template0')
    try:
        _run(url, "pg_restore", "--exit-on-error", *NOBODYS, *_server(url), f"--dbname={new}", copied)
        prepare(url.set(database=new))
        if administer("SELECT 1 FROM pg_database WHERE datname = :name", name=name):
            administer(f'ALTER DATABASE "{name}" RENAME TO "{old}"')
        administer(f'ALTER DATABASE "{new}" RENAME TO "{name}"')
    except BaseException:
        with suppress(Exception):
            administer(f'DROP DATABASE IF EXISTS "{new}"')
        raise


async def _schema(url: URL) -> Schema:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(Schema.of)
    finally:
        await engine.dispose()


async def _execute(url: URL, statement: Executable) -> Sequence[Row[Any]]:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        async with engine.connect() as connection:
            done = await connection.execute(statement)
            return done.all() if done.returns_rows else ()
    finally:
        await engine.dispose()


def _run(url: URL, program: str, *arguments: object) -> None:
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run([program, *map(str, arguments)], env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BackupRefused(f"{program} failed: {said[-1] if said else done.returncode}.")


def _server(url: URL) -> tuple[str, ...]:
    host = url.host or str(url.query.get("host", ""))
    given = {"--host": host, "--port": url.port, "--username": url.username}
    return tuple(f"{option}={value}" for option, value in given.items() if value)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, DBAPIError):
        error = error.orig if isinstance(error.orig, Exception) else error
    return (error.strerror if isinstance(error, OSError) else None) or str(error).strip().rstrip(".")
