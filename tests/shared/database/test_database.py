"""Exact types and transactions that lock alike on SQLite and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, make_url, select, text, update
from sqlalchemy.event import listen, remove
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import Pool

from shared.database import engine
from shared.database.column_types import EnumText, ExactDecimal, JsonOf, UtcDateTime
from shared.database.engine import Database, is_transient
from shared.database.upserts import add_one, insert_new
from tests.conftest import Databases
from tests.support.postgres import Postgres


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True)
class Line:
    text: str
    amount: Decimal
    on: datetime | None = None


KINDS = MetaData()
kinds = Table(
    "kinds",
    KINDS,
    Column("id", Integer, primary_key=True),
    Column("amount", ExactDecimal),
    Column("at", UtcDateTime),
    Column("colour", EnumText(Colour)),
    Column("lines", JsonOf(list[Line])),
)
counters = Table("counters", KINDS, Column("office", String(5), primary_key=True), Column("last", Integer, nullable=False))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(make_url(database_url))
    async with opened.engine.begin() as connection:
        await connection.run_sync(KINDS.create_all)
    yield opened
    await opened.close()


async def kept(database: Database, **values: Any) -> Any:
    """What comes back of a row with these values."""
    async with database.writing() as transaction:
        await transaction.session.execute(insert(kinds).values(values))
    async with database.reading() as session:
        return (await session.execute(select(kinds).order_by(kinds.c.id.desc()).limit(1))).one()


AMOUNTS = ("12345678901234.123456", "0.000001", "-1.10", "0", "1E+3", "99999999999999999999999999.99999999", "0.1")


async def test_a_decimal_comes_back_digit_for_digit(database: Database) -> None:
    for amount in map(Decimal, AMOUNTS):
        back = (await kept(database, amount=amount)).amount
        assert isinstance(back, Decimal)
        assert f"{back:f}" == f"{amount:f}"


async def test_an_instant_comes_back_aware_and_in_utc_to_the_microsecond(database: Database) -> None:
    phnom_penh = datetime(2026, 1, 1, 0, 30, 0, 123456, timezone(timedelta(hours=7)))

    back = (await kept(database, at=phnom_penh)).at

    assert back == phnom_penh
    assert back.tzinfo is UTC
    assert back.isoformat() == "2025-12-31T17:30:00.123456+00:00"


async def test_instants_sort_by_time_and_compare_in_the_database(database: Database) -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    instants = [first + timedelta(microseconds=number * 100_000) for number in (3, 0, 12, 7, 9)]
    async with database.writing() as transaction:
        await transaction.session.execute(insert(kinds), [{"at": instant} for instant in instants])

    async with database.reading() as session:
        back = list(await session.scalars(select(kinds.c.at).order_by(kinds.c.at)))
        late = list(await session.scalars(select(kinds.c.at).where(kinds.c.at > instants[3])))

    assert back == sorted(instants)
    assert sorted(late) == sorted(instant for instant in instants if instant > instants[3])


async def test_an_instant_of_any_year_comes_back(database: Database) -> None:
    for year in (999, 9999):
        instant = datetime(year, 6, 1, tzinfo=UTC)
        assert (await kept(database, at=instant)).at == instant


async def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"):
        await kept(database, at=datetime(2026, 1, 1))


async def test_a_word_comes_back_as_the_member_of_its_enumeration(database: Database) -> None:
    assert (await kept(database, colour=Colour.GREEN)).colour is Colour.GREEN
    assert (await kept(database, colour="red")).colour is Colour.RED
    with pytest.raises(StatementError, match="blue"):
        await kept(database, colour="blue")


async def test_a_dataclass_comes_back_from_json_digit_for_digit(database: Database) -> None:
    lines = [Line("ទំនិញ \U0001f600", Decimal("12345678901234.123456"), datetime(2026, 1, 1, tzinfo=UTC)), Line("", Decimal(0))]

    assert (await kept(database, lines=lines)).lines == lines


async def test_nothing_comes_back_as_nothing(database: Database) -> None:
    row = await kept(database, amount=None, at=None, colour=None, lines=None)

    assert (row.amount, row.at, row.colour, row.lines) == (None, None, None, None)


async def test_numbers_follow_one_another_without_a_gap_under_concurrency(database: Database) -> None:
    async def next_number(number: int) -> int:
        async with database.writing() as transaction:
            raised = await add_one(transaction.session, counters, {"office": "PNH"}, "last")
            await asyncio.sleep(0.001)
            if number % 4 == 0:
                raise ZeroDivisionError  # a number that is rolled back must be given again
            return raised

    numbers = await asyncio.gather(*map(next_number, range(40)), return_exceptions=True)

    given = [number for number in numbers if isinstance(number, int)]
    assert sorted(given) == list(range(1, 31))


async def test_counters_of_two_processes_do_not_collide(database: Database, database_url: str) -> None:
    other = Database(make_url(database_url))

    async def next_number(through: Database) -> int:
        async with through.writing() as transaction:
            return await add_one(transaction.session, counters, {"office": "PNH"}, "last")

    numbers = await asyncio.gather(*(next_number(through) for _ in range(15) for through in (database, other)))

    assert sorted(numbers) == list(range(1, 31))
    await other.close()


async def test_insert_new_returns_only_what_was_not_there(database: Database) -> None:
    rows = [{"office": "PNH", "last": 1}, {"office": "SHV", "last": 1}, {"office": "PNH", "last": 2}]
    async with database.writing() as transaction:
        first = await insert_new(transaction.session, counters, rows)
        assert sorted(row.office for row in first) == ["PNH", "SHV"]
        assert await insert_new(transaction.session, counters, rows) == []


async def can_write(database: Database) -> bool:
    async with asyncio.timeout(10), database.writing() as transaction:
        await transaction.session.execute(insert(kinds).values(colour=Colour.RED))
    return True


async def test_the_writers_turn_ends_after_an_error(database: Database) -> None:
    for error in (ZeroDivisionError, KeyboardInterrupt):
        with pytest.raises(error):  # noqa: PT012
            async with database.writing() as transaction:
                await transaction.session.execute(insert(kinds).values(id=1))
                raise error
    async with database.reading() as session:
        assert (await session.execute(select(kinds))).all() == []

    assert await can_write(database)


async def test_the_writers_turn_ends_after_an_error_of_the_database(database: Database) -> None:
    with pytest.raises(IntegrityError):  # noqa: PT012
        async with database.writing() as transaction:
            for _ in range(2):
                await transaction.session.execute(insert(kinds).values(id=1))

    assert await can_write(database)


async def test_the_writers_turn_ends_when_the_commit_itself_fails(database: Database) -> None:
    deferred = "REFERENCES counters (office) DEFERRABLE INITIALLY DEFERRED"
    async with database.writing() as transaction:
        await transaction.session.execute(text(f"CREATE TABLE child (office VARCHAR(5) {deferred})"))
    waits = asyncio.create_task(_write_slowly(database))
    with pytest.raises(IntegrityError):
        async with database.writing() as transaction:
            await transaction.session.execute(text("INSERT INTO child VALUES ('XXX')"))

    await waits
    assert await can_write(database)


async def _write_slowly(database: Database) -> None:
    async with database.writing() as transaction:
        await asyncio.sleep(0.05)
        await transaction.session.execute(insert(kinds).values(colour=Colour.RED))


async def test_the_writers_turn_ends_where_a_handler_ends_the_transaction_itself(database: Database) -> None:
    async with database.writing() as transaction:
        await transaction.session.execute(insert(kinds).values(id=1))
        await transaction.session.rollback()

    assert await can_write(database)


async def test_the_writers_turn_ends_after_a_cancellation_at_any_moment(database: Database) -> None:
    async def write() -> None:
        async with database.writing() as transaction:
            for _ in range(5):
                await transaction.session.execute(insert(kinds).values(colour=Colour.RED))

    for proofs, after in enumerate((0, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.02), start=1):
        writers = [asyncio.create_task(write()) for _ in range(6)]
        await asyncio.sleep(after)
        for writer in writers:
            writer.cancel()
        outcomes = await asyncio.gather(*writers, return_exceptions=True)

        assert all(isinstance(outcome, asyncio.CancelledError | None) for outcome in outcomes)
        assert await can_write(database)
        async with database.reading() as session:
            rows = len((await session.execute(select(kinds))).all())
        assert (rows - proofs) % 5 == 0  # whole transactions only


async def test_writers_that_were_cancelled_leave_no_connection_behind(database: Database) -> None:
    async def write() -> None:
        async with database.writing() as transaction:
            await transaction.session.execute(insert(kinds).values(colour=Colour.RED))
            await asyncio.sleep(10)

    for _ in range(25):  # more than the pool holds
        writer = asyncio.create_task(write())
        await asyncio.sleep(0.005)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)

    assert await can_write(database)
    assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    async with database.writing() as transaction:
        await transaction.session.execute(insert(kinds).values(id=1))
        async with asyncio.timeout(4), database.reading() as session:
            assert (await session.execute(select(kinds))).all() == []


async def test_a_writer_does_not_wait_for_the_connection_of_a_reader(database: Database) -> None:
    async with AsyncExitStack() as readers:
        for _ in range(10):  # as many as the pool holds without an overflow
            session = await readers.enter_async_context(database.reading())
            await session.execute(select(kinds))
        async with asyncio.timeout(4):
            assert await can_write(database)


async def test_many_readers_on_sqlite_use_the_same_connections_again(tmp_path: Path) -> None:
    opened: list[object] = []
    database = Database(make_url(f"sqlite:///{tmp_path / 'test.db'}"))

    def counting(connection: object, _: object) -> None:
        opened.append(connection)

    listen(Pool, "connect", counting)

    async def read() -> None:
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))

    for _ in range(3):
        await asyncio.gather(*(read() for _ in range(30)))
    remove(Pool, "connect", counting)
    await database.close()

    assert len(opened) <= 10


async def test_a_reader_sees_one_state(database: Database) -> None:
    async with database.reading() as session:
        assert (await session.execute(select(kinds))).all() == []
        assert await can_write(database)
        assert (await session.execute(select(kinds))).all() == []


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError):  # noqa: PT012
        async with database.reading() as session:
            await session.execute(insert(kinds).values(id=1))
            await session.commit()

    async with database.reading() as session:
        assert (await session.execute(select(kinds))).all() == []
    for _ in range(12):
        assert await can_write(database)


BUGS = {
    "a table that is not there": "SELECT * FROM nowhere",
    "a column that is not there": "SELECT nothing FROM kinds",
    "a column that is not there, written": "INSERT INTO kinds (nothing) VALUES (1)",
    "a word out of place": "SELEKT 1",
    "a key used twice": "INSERT INTO kinds (id) VALUES (1), (1)",
    "a null that may not be": "INSERT INTO counters (office) VALUES ('PNH')",
    "an ambiguous column": "SELECT id FROM kinds a, kinds b",
    "an unknown function": "SELECT no_such_function(1)",
    "too many columns": "INSERT INTO kinds (id, at) VALUES (1)",
}


async def test_a_bug_in_a_statement_is_not_transient(database: Database) -> None:
    mistaken = []
    for what, statement in BUGS.items():
        with pytest.raises(DBAPIError) as raised:
            async with database.writing() as transaction:
                await transaction.session.execute(text(statement))
        if is_transient(raised.value):
            mistaken.append(what)

    assert mistaken == []


async def test_more_arguments_than_a_statement_may_have_are_not_transient(postgres_databases: Databases) -> None:
    database = Database(make_url(postgres_databases.empty()))
    rows = [{"office": str(number), "last": number} for number in range(16_400)]
    with pytest.raises(DBAPIError) as raised:
        async with database.writing() as transaction:
            await insert_new(transaction.session, counters, rows)

    await database.close()
    assert not is_transient(raised.value)


async def test_a_lock_held_by_another_is_transient(sqlite_databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY", 0.05)
    url = make_url(sqlite_databases.empty())
    one, two = Database(url), Database(url)
    async with one.engine.begin() as connection:
        await connection.run_sync(KINDS.create_all)
    async with one.writing() as transaction:
        await transaction.session.execute(insert(kinds).values(id=1))
        with pytest.raises(DBAPIError) as raised:
            await two.writing().begin()
    assert is_transient(raised.value)
    await one.close()
    await two.close()


async def test_a_folder_that_is_away_is_transient(sqlite_databases: Databases) -> None:
    database = Database(make_url(sqlite_databases.empty()).set(database="/nowhere/at/all.sqlite"))
    with pytest.raises(DBAPIError) as raised:
        await can_write(database)

    assert is_transient(raised.value)
    assert not database.writer.locked()  # type: ignore[attr-defined]


async def test_a_server_that_goes_away_is_transient_and_comes_back(postgres_databases: Databases, postgres: Postgres) -> None:
    database = Database(make_url(postgres_databases.empty()))
    async with database.engine.begin() as connection:
        await connection.run_sync(KINDS.create_all)

    async def lose_the_server() -> None:
        async with database.writing() as transaction:
            with postgres.away():
                await transaction.session.execute(insert(kinds).values(id=1))

    with pytest.raises((DBAPIError, OSError)) as broken:
        await lose_the_server()
    assert is_transient(broken.value)
    with postgres.away(), pytest.raises((DBAPIError, OSError)) as refused:
        await can_write(database)
    assert is_transient(refused.value)
    assert await can_write(database)
    await database.close()


async def test_connections_that_broke_while_idle_are_not_noticed(postgres_databases: Databases, postgres: Postgres) -> None:
    database = Database(make_url(postgres_databases.empty()))
    async with database.engine.begin() as connection:
        await connection.run_sync(KINDS.create_all)
    await asyncio.gather(*(can_write(database) for _ in range(5)))
    with postgres.away():
        pass

    for _ in range(8):
        assert await can_write(database)
    await database.close()


async def test_too_many_connections_are_transient(postgres_databases: Databases, postgres: Postgres) -> None:
    url = make_url(postgres_databases.empty())
    postgres.sql("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    database = Database(url.set(username="crowded"))
    with pytest.raises(Exception, match="too many connections") as raised:
        await can_write(database)

    assert is_transient(raised.value)
    await database.close()


async def test_two_transactions_that_block_each_other_are_transient(postgres_databases: Databases) -> None:
    database = Database(make_url(postgres_databases.empty()))
    async with database.engine.begin() as connection:
        await connection.run_sync(KINDS.create_all)
        await connection.execute(insert(kinds), [{"id": 1}, {"id": 2}])

    async def cross(first: int, second: int) -> None:
        async with database.writing() as transaction:
            await transaction.session.execute(update(kinds).where(kinds.c.id == first).values(colour="red"))
            await asyncio.sleep(0.05)
            await transaction.session.execute(update(kinds).where(kinds.c.id == second).values(colour="red"))

    outcomes = await asyncio.gather(cross(1, 2), cross(2, 1), return_exceptions=True)

    (error,) = filter(None, outcomes)
    assert is_transient(error)
    await database.close()


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (PoolTimeout("QueuePool limit of size 10 overflow 10 reached"), True),
        (ValueError(), False),
        (FileNotFoundError("a template that was not installed"), False),
        (PermissionError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_at_fault_outside_is_transient_and_what_is_ours_is_not(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


async def test_a_cancelled_statement_releases_the_lock_of_sqlite(tmp_path: Path) -> None:
    """The cursor of a cancelled statement may live on, in a traceback for example."""
    one, other = (Database(make_url(f"sqlite:///{tmp_path}/one.db")) for _ in range(2))
    async with one.engine.begin() as connection:
        await connection.run_sync(KINDS.create_all)
    transaction = await one.writing().__aenter__()
    connection = await transaction.session.connection()
    driver = (await connection.get_raw_connection()).driver_connection
    cursor = driver.execute("INSERT INTO counters SELECT value, 1 FROM json_each('[1, 2, 3]') RETURNING office")

    await connection.invalidate()  # what SQLAlchemy does when it is cancelled in the middle of a statement

    async with other.writing() as later:
        assert (await later.session.execute(select(counters))).all() == []
    assert cursor.description
    await one.close()
    await other.close()
