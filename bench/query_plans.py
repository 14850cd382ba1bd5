"""Prints how the hot statements are executed: `python -m bench.query_plans [--all] [--certificates 2000]`.

Hot is what a request, a page, a task or a question of an operator executes. The statements are found by doing all of these in
this process, on filled databases: first on SQLite, then, where PostgreSQL is installed, on PostgreSQL with statistics. There
plans are made as if reading a whole table cost very much: what still reads one has no index.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import MetaData, create_engine, insert, make_url, select, text

from bench.filled import Connected, Filled, filled, lives_in, sampled
from bench.in_process import KINDS, NAMES, in_process
from bench.plans import BOUNDED, Planned, Recorder
from bench.stored_requests import auditing, hot, lists, operating, tasks
from shared.database.engine import Database
from shared.database.migrations.schema import migrate
from shared.database.tables import PLUMBING, runnable_revisions, signing_keys
from shared.observability.tracing import start_tracing
from tests.support.postgres import NoPostgres, Postgres

TABLES = {
    "certificates": "services.certificates.store.tables",
    "fees": "services.fees.store",
    "gateway": "services.gateway.store",
    "tracking": "services.tracking.store",
}
NUMBERED = ("outbox", "trail", "tasks")
"""Tables with rows that the database numbers."""
ROWS = 5000
"""Rows that are copied to PostgreSQL in one statement."""


async def exercise(place: Filled) -> None:
    """Does everything that is measured, once, and takes a life of each kind through the services."""
    for group in (hot, lists, operating, tasks, auditing):
        for call in group(place).values():
            await call(1)
    await place.running.begin(place.running.services["certificates"].clock.instant)
    for kind in KINDS:
        await place.running.live(kind)


async def on_sqlite(folder: Path, count: int) -> tuple[list[Planned], dict[str, Path], datetime]:
    """The statements and their plans on SQLite; the filled databases, and the time in them."""
    lives, now = await lives_in(folder)
    recorder = Recorder()
    async with filled(folder / "filled", count, lives, now) as place:
        recorder.listen()
        try:
            await exercise(place)
        finally:
            recorder.end()
    return list(recorder.planned.values()), {name: folder / "filled" / f"{name}.db" for name in NAMES}, now


class PostgresRecorder(Recorder):
    """Keeps the statements that are executed on PostgreSQL, each with its database, the function and parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, tuple[str, str, Any]] = {}

    def keep(self, connection: Any, statement: str, parameters: Any, place: str) -> None:
        self.found[statement] = connection.engine.url.database, place, parameters


async def on_postgresql(files: Mapping[str, Path], now: datetime, server: Postgres) -> list[Planned]:
    """The statements and their plans on PostgreSQL, with the content of SQLite databases."""
    databases = {name: server.new_database() for name in files}
    recorder = PostgresRecorder()
    for name, file in files.items():
        await asyncio.to_thread(migrate, name, make_url(server.url(databases[name])))
        await _copy(name, file, server.url(databases[name]))
        server.sql("ANALYZE", databases[name])
    async with _filled_on(server, databases, files, now) as place:
        recorder.listen()
        try:
            await exercise(place)
        finally:
            recorder.end()
    return [await _explained(server, *each) for each in recorder.found.items()]


@asynccontextmanager
async def _filled_on(
    server: Postgres, databases: Mapping[str, str], files: Mapping[str, Path], now: datetime
) -> AsyncIterator[Filled]:
    async with AsyncExitStack() as stack:
        urls = {name: server.url(database) for name, database in databases.items()}
        running = await stack.enter_async_context(in_process(Path(tempfile.gettempdir()), urls=urls))
        running.at(now + timedelta(hours=1))
        services = {name: Connected(service) for name, service in running.services.items()}
        yield Filled(0, running, services, **sampled(files))


async def _copy(service: str, file: Path, url: str) -> None:
    """Copies the rows of a SQLite database."""
    own: MetaData = import_module(TABLES[service]).TABLES
    database = Database(make_url(url))
    with closing(create_engine(f"sqlite:///{file}").connect()) as source:
        for table in (*PLUMBING.sorted_tables, *own.sorted_tables):
            if table in (signing_keys, runnable_revisions):
                continue
            rows = source.execute(select(table)).mappings()
            while some := rows.fetchmany(ROWS):
                async with database.writing() as transaction:
                    await transaction.session.execute(insert(table), [dict(row) for row in some])
            if table.name in NUMBERED:
                next_id = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), coalesce(max(id), 0) + 1, false)"
                async with database.writing() as transaction:
                    await transaction.session.execute(text(f"{next_id} FROM {table.name}"))
    await database.close()


async def _explained(server: Postgres, statement: str, found: tuple[str, str, Any]) -> Planned:
    database, place, parameters = found
    values = parameters[0] if isinstance(parameters, list) else parameters
    connection = await asyncpg.connect(server.url(database).replace("+asyncpg", ""))
    try:
        await connection.execute("SET enable_seqscan = off")
        rows = await connection.fetch(f"EXPLAIN {statement}", *values)
    finally:
        await connection.close()
    return Planned(place, statement, tuple(row[0].strip() for row in rows))


def reads_all(planned: Planned) -> tuple[str, ...]:
    """The lines of a plan of PostgreSQL that read a whole table that grows."""
    lines = [line.removeprefix("->").strip() for line in planned.plan]
    return tuple(line for line in lines if line.startswith(("Seq Scan on", "Parallel Seq")) and line.split()[3] not in BOUNDED)


def report(title: str, planned: list[Planned], *, every: bool) -> int:
    """Prints the statements that read more, the more is stored; returns how many of them have no reason."""
    grows = {each: each.growing or reads_all(each) for each in planned}
    without = [each for each, lines in grows.items() if lines and not each.allowed]
    print(
        f"{title}: {len(planned)} statements, {sum(map(bool, grows.values()))} grow, {len(without)} of them without a reason\n"
    )
    for each in sorted(planned, key=lambda one: one.place):
        if every or grows[each]:
            print(f"{each.place}: {each.allowed or ('READS MORE' if grows[each] else '')}")
            print(f"    {' '.join(each.statement.split())[:300]}")
            print("".join(f"    | {line}\n" for line in (each.plan if every else grows[each])))
    return len(without)


async def main() -> int:
    """Prints both tables. Returns 1 if a statement reads more without a reason."""
    parser = argparse.ArgumentParser(prog="python -m bench.query_plans", description=__doc__)
    parser.add_argument("--all", action="store_true", help="print every statement with its plan")
    parser.add_argument("--certificates", type=int, default=2000, help="certificates in the databases")
    chosen = parser.parse_args()
    start_tracing("bench", "KH", None)
    with tempfile.TemporaryDirectory(prefix="bench-plans-") as folder:
        planned, files, now = await on_sqlite(Path(folder), chosen.certificates)
        without = report("SQLite", planned, every=chosen.all)
        try:
            server = Postgres()
        except NoPostgres as reason:
            print(f"PostgreSQL is left out: {reason}")
            return 1 if without else 0
        try:
            without += report("PostgreSQL", await on_postgresql(files, now, server), every=chosen.all)
        finally:
            server.remove()
    return 1 if without else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
