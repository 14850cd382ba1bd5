"""A real PostgreSQL server for one test run, with the programs of this machine."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tests.support.ports import free_port

QUICK = "-c fsync=off -c full_page_writes=off -c max_connections=200 -c deadlock_timeout=100ms -c shared_buffers=32MB"

WITH_PASSWORD = "with_password"
"""The only role that needs a password. The test creates it."""


class NoPostgres(Exception):
    """PostgreSQL cannot run here. The message gives the reason."""


def _programs() -> Path:
    """The newest folder with `initdb` and `pg_ctl`. Raises NoPostgres."""
    in_path = shutil.which("pg_ctl")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name))
    folders = [*([Path(in_path).resolve().parent] if in_path else ()), *reversed(installed)]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise NoPostgres("no initdb and pg_ctl in PATH or /usr/lib/postgresql: `apt-get install postgresql`")


def _owner() -> str | None:
    """The user of the server, because PostgreSQL refuses to run as root. None: the present user."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


class Postgres:
    """One cluster in a temporary folder, reachable from this machine only. With `QUICK` it does not survive a crash."""

    def __init__(self, settings: str = QUICK) -> None:
        self._settings = settings
        self._programs, self._owner = _programs(), _owner()
        self._folder = Path(tempfile.mkdtemp(prefix="co-postgres-"))
        if self._owner:
            shutil.chown(self._folder, self._owner)
        self._port = free_port()
        self._names = (f"test_{number}" for number in count())
        self._run("initdb", "-D", "data", "-U", "co", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        trusted = self._folder / "data" / "pg_hba.conf"
        trusted.write_text(f"host all {WITH_PASSWORD} 127.0.0.1/32 scram-sha-256\n{trusted.read_text()}")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            user=self._owner,
            stdin=subprocess.DEVNULL,
            stdout=(self._folder / "programs.log").open("ab"),
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise NoPostgres(f"{program} failed: {(self._folder / 'programs.log').read_text()[-1000:]}")

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 {self._settings}"
        self._run("pg_ctl", "-D", "data", "-l", "server.log", "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stops the server without a shutdown, like a crash: all connections break."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stops the server for this block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def sql(self, statement: str, database: str = "postgres") -> None:
        """Runs one statement as the cluster's owner."""
        self._run("psql", "-h", str(self._folder), "-p", str(self._port), "-U", "co", "-qc", statement, database)

    def new_database(self, template: str = "template0") -> str:
        """Creates a database from a template without connections; returns its name."""
        name = next(self._names)
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, database: str, user: str = "co") -> str:
        """The address of a database, for the settings of a service."""
        return f"postgresql+asyncpg://{user}@127.0.0.1:{self._port}/{database}"

    @property
    def pid(self) -> int:
        """The id of the server's first process, the parent of all others."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split("\n")[0])

    def remove(self) -> None:
        """Stops the server and deletes its files."""
        self.stop()
        shutil.rmtree(self._folder)
