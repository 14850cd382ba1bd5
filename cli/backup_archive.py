"""Backs up the database of one service consistently while the service runs, and restores it.

A backup is a zip file: `manifest.json` names the service, `database` is a SQLite file or an archive of `pg_dump`.
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

from sqlalchemy import URL, Connection, Executable, Row, insert, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.database.engine import with_driver
from shared.database.migrations.schema import RIGHTS, Schema, heads_of, migrate
from shared.database.tables import recoveries

MANIFEST, DATABASE = "manifest.json", "database"
MAX_MANIFEST_BYTES = 64 * 1024
CHUNK_BYTES = 1024 * 1024
WITHOUT_ROLES = ("--no-owner", "--no-privileges")
"""A backup contains no roles, because each server has its own."""

Prepare = Callable[[URL], None]
"""A step on the restored database before it replaces the present one."""


class BackupRefused(Exception):
    """A backup or a restore is refused. The message gives the reason in one sentence. Nothing was changed."""


@dataclass(frozen=True)
class Manifest:
    """What a backup contains. `schema`: the revisions of its schema; `size`: bytes of the database.

    `runnable`: the revisions whose code can run on this schema, if the database records them.
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
        """The content of `manifest.json`."""
        return json.dumps(asdict(self) | {"taken_at": self.taken_at.isoformat()}, indent=2)

    @classmethod
    def read(cls, content: bytes) -> "Manifest":
        """Parses `manifest.json`. Raises ValueError, TypeError or KeyError if it is malformed."""
        row = json.loads(content)
        schema, runnable = tuple(row["schema"]), tuple(row.get("runnable", ()))
        return cls(**row | {"schema": schema, "runnable": runnable, "taken_at": datetime.fromisoformat(row["taken_at"])})


def take_backup(service: str, country: str, url: URL, file: Path) -> Manifest:
    """Backs up a database as of one instant. The file is written completely or not at all. Raises BackupRefused."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    try:
        with TemporaryDirectory(prefix=".backup-", dir=file.parent) as folder:
            taken_at, copied = datetime.now(UTC), Path(folder) / DATABASE
            (_copy_sqlite if _is_sqlite(url) else _copy_postgresql)(url, copied)
            found = asyncio.run(_schema(url.set(database=str(copied)) if _is_sqlite(url) else url))
            if not found.present:
                raise BackupRefused(f"The database of {service} has no schema, so there is nothing to back up.")
            schema, runnable = tuple(sorted(found.present)), tuple(sorted(found.runnable))
            size, sha256 = copied.stat().st_size, _digest(copied)
            release = version("co-automation")
            manifest = Manifest(service, country, url.get_backend_name(), schema, taken_at, size, sha256, release, runnable)
            with os.fdopen(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as opened:
                with zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                    archive.writestr(MANIFEST, manifest.as_json())
                    archive.write(copied, DATABASE)
                opened.flush()
                os.fsync(opened.fileno())
        unfinished.rename(file)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupRefused(f"The database of {service} cannot be backed up to {file}: {_reason(error)}.") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def restore(service: str, country: str, url: URL, file: Path) -> Manifest:
    """Replaces the database of a service by a backup and keeps the former database beside it. The service must not run.

    The service starts in recovery afterwards. Raises BackupRefused before any change.
    """
    try:
        with _checked(service, country, url, file) as (manifest, copied):
            replace = _replace_sqlite if _is_sqlite(url) else _replace_postgresql
            replace(url, copied, datetime.now(UTC), lambda copy: _begin_recovery(service, copy, manifest, file))
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise BackupRefused(f"The database of {service} cannot be restored from {file}: {_reason(error)}.") from None
    return manifest


@contextmanager
def _checked(service: str, country: str, url: URL, file: Path) -> Iterator[tuple[Manifest, Path]]:
    """The manifest and the unpacked database of a backup that fits this service."""
    beside = Path(str(url.database)).parent if _is_sqlite(url) else file.parent
    with TemporaryDirectory(prefix=".restore-", dir=beside) as folder:
        copied = Path(folder) / DATABASE
        manifest = _unpacked(file, copied)
        own, found = (service, country, url.get_backend_name()), (manifest.service, manifest.country, manifest.dialect)
        if own != found:
            raise BackupRefused(f"{file} is a backup of {' '.join(found)} and cannot be restored as {' '.join(own)}.")
        schema = Schema(frozenset(manifest.schema), frozenset(manifest.runnable))
        if (newer := sorted(schema.newer_than(service))) and schema.lacks(service):
            raise BackupRefused(f"{file} has the schema {', '.join(newer)}, which this release does not know: use a newer one.")
        yield manifest, copied


def _unpacked(file: Path, copied: Path) -> Manifest:
    try:
        with zipfile.ZipFile(file) as archive:
            with archive.open(MANIFEST) as member:
                manifest = Manifest.read(member.read(MAX_MANIFEST_BYTES))
            with archive.open(DATABASE) as packed, copied.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked, CHUNK_BYTES)
    except FileNotFoundError:
        raise BackupRefused(f"There is no backup {file}.") from None
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, EOFError, NotImplementedError):
        raise BackupRefused(f"{file} is not a backup of a database, or it is truncated or damaged.") from None
    if (copied.stat().st_size, _digest(copied)) != (manifest.size, manifest.sha256):
        raise BackupRefused(f"{file} is damaged: the checksum of its database is wrong.")
    return manifest


def _begin_recovery(service: str, url: URL, manifest: Manifest, file: Path) -> None:
    """Migrates the restored database, starts its recovery, and grants the rights of its roles."""
    if set(manifest.schema) != heads_of(service):
        migrate(service, url)
    taken_at = manifest.taken_at
    because = f"It was restored from {file.name}, a backup taken on {taken_at:%Y-%m-%d} at {taken_at:%H:%M:%S} UTC."
    row = {"because": because, "copy_taken_at": taken_at, "began_at": datetime.now(UTC)}
    asyncio.run(_execute(url, insert(recoveries).values(row)))
    if not _is_sqlite(url):
        _grant_rights(service, url)


def _grant_rights(service: str, url: URL) -> None:
    """Grants the rights of the service and of `migrator`, if the server has both roles."""
    known = text("SELECT rolname FROM pg_roles WHERE rolname IN ('migrator', :service)").bindparams(service=service)
    if len(asyncio.run(_execute(url, known))) == 2:
        options = ("--quiet", "--set=ON_ERROR_STOP=1", f"--set=service={service}")
        _run(url, "psql", *options, f"--file={RIGHTS}", *_server(url), f"--dbname={url.database}")


def _copy_sqlite(url: URL, copied: Path) -> None:
    with closing(sqlite3.connect(f"file:{url.database}?mode=ro", uri=True)) as live, closing(sqlite3.connect(copied)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        (result,) = copy.execute("PRAGMA integrity_check").fetchone()
        if result != "ok":
            raise BackupRefused(f"The database {url.database} is damaged: {result}.")


def _replace_sqlite(url: URL, copied: Path, now: datetime, prepare: Prepare) -> None:
    database = Path(str(url.database))
    prepare(url.set(database=str(copied)))
    with closing(sqlite3.connect(copied)) as copy:
        copy.execute("PRAGMA journal_mode=DELETE")  # without a write-ahead log, so that it is one file
    _require_unused(database)
    if database.exists():
        database.rename(database.with_name(f"{database.stem}.before-restore-{now:%Y%m%dT%H%M%S%fZ}{database.suffix}"))
    for rest in ("-wal", "-shm"):
        database.with_name(database.name + rest).unlink(missing_ok=True)
    copied.rename(database)


def _require_unused(database: Path) -> None:
    """Raises BackupRefused if another process has opened the database. Writes its write-ahead log into the file."""
    if not database.exists():
        return
    with closing(sqlite3.connect(database, timeout=0)) as live:
        try:
            live.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BackupRefused(f"The database {database} is in use: stop its service first.") from None
        except sqlite3.DatabaseError:
            pass  # a damaged database may be replaced


def _copy_postgresql(url: URL, copied: Path) -> None:
    _run(
        url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={copied}", *_server(url), str(url.database)
    )


def _replace_postgresql(url: URL, copied: Path, now: datetime, prepare: Prepare) -> None:
    name, stamp = str(url.database), f"{now:%Y%m%dt%H%M%S%fz}"
    new, old = f"{name}_restoring_{stamp}"[-63:], f"{name}_before_restore_{stamp}"[-63:]

    def administer(statement: str, **values: str) -> Sequence[Row[Any]]:
        return asyncio.run(_execute(url.set(database="postgres"), text(statement).bindparams(**values)))

    if administer("SELECT 1 FROM pg_stat_activity WHERE datname = :name", name=name):
        raise BackupRefused(f"The database {name} is in use: stop its service first.")
    administer(f'CREATE DATABASE "{new}" TEMPLATE template0')
    try:
        _run(url, "pg_restore", "--exit-on-error", *WITHOUT_ROLES, *_server(url), f"--dbname={new}", copied)
        prepare(url.set(database=new))
        if administer("SELECT 1 FROM pg_database WHERE datname = :name", name=name):
            administer(f'ALTER DATABASE "{name}" RENAME TO "{old}"')
        administer(f'ALTER DATABASE "{new}" RENAME TO "{name}"')
    except BaseException:
        with suppress(Exception):
            administer(f'DROP DATABASE IF EXISTS "{new}"')
        raise


async def _schema(url: URL) -> Schema:
    engine = create_async_engine(with_driver(url))
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(Schema.of)
    finally:
        await engine.dispose()


async def _execute(url: URL, statement: Executable) -> Sequence[Row[Any]]:
    engine = create_async_engine(with_driver(url), isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_rows_of, statement)
    finally:
        await engine.dispose()


def _rows_of(connection: Connection, statement: Executable) -> Sequence[Row[Any]]:
    done = connection.execute(statement)
    return done.all() if done.returns_rows else ()


def _run(url: URL, program: str, *arguments: object) -> None:
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run([program, *map(str, arguments)], env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BackupRefused(f"{program} failed: {lines[-1] if lines else done.returncode}.")


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
