"""A replica that cannot start says in one sentence what it waits for, or ends with it; and goes on by itself when it can."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import nkeys
import pytest
from nats.aio.client import Client
from sqlalchemy import make_url

from deploy.nats.stream import set_up_bus
from shared.bus.stream import STREAM
from shared.settings import DatabaseSettings, Settings, SettingsWrong, read
from tests.conftest import Databases, eventually
from tests.support.bus import Bus
from tests.support.plumbing_stack import PlumbingStack, Running, a_payment
from tests.support.ports import free_port
from tests.support.postgres import WITH_PASSWORD, Postgres
from tests.support.releases import ROOT, run

pytestmark = pytest.mark.slow

Logged = Callable[[], list[dict[str, Any]]]

AN_HOUR = timedelta(hours=1)
NO_SERVER = "it cannot be reached (Connection refused)"
REFUSED = "it refuses this service's seed; add its public key there, or correct CO_NATS_SEED_FILE and start again"
NO_JETSTREAM = "it is not enabled on this bus; enable it in the configuration of nats-server, and for this account"


async def says(running: Running, sentence: str) -> bool:
    """Whether this, and nothing else, is what stands between a replica and its work."""
    if running.serving.done():
        await running.serving
    try:
        async with httpx.AsyncClient(timeout=4) as client:
            problems = (await client.get(f"{running.address}/ready")).json()["problems"]
    except httpx.ConnectError:
        return False
    assert len(problems) == 1, problems
    assert re.fullmatch(sentence, problems[0]), f"{problems[0]!r} is not {sentence!r}"
    return True


async def is_ready(running: Running) -> bool:
    return not await running.replica.problems()


async def works(stack: PlumbingStack) -> None:
    invoice = await (await stack.asker()).ask(a_payment(), token=stack.token())
    assert invoice.settled


def a_stranger() -> str:
    """The public key of a user that nobody knows."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    return str(nkeys.from_seed(bytearray(seed)).public_key.decode())


async def of_another_user(bus: Bus) -> None:
    await bus.start_with(lambda conf: conf.replace(bus.secrets.public_key("KH", "fees"), a_stranger()))


async def without_jetstream(bus: Bus) -> None:
    await bus.start_with(lambda conf: re.sub(r"jetstream(: enabled| \{[^}]*\})", "", conf))


async def without_jetstream_for_the_account(bus: Bus) -> None:
    await bus.start_with(lambda conf: conf.replace("jetstream: enabled", ""))


async def without_stream(bus: Bus) -> None:
    async with closing(bus) as operator:
        await operator.jetstream().delete_stream(STREAM)


async def without_consumer(bus: Bus) -> None:
    async with closing(bus) as operator:
        await operator.jetstream().delete_consumer(STREAM, "fees")


@asynccontextmanager
async def closing(bus: Bus) -> AsyncIterator[Client]:
    """The operator's client. A client that is left open connects again and again, and may lose the cancellation at the end."""
    operator = await bus.client("operator")
    try:
        yield operator
    finally:
        await operator.close()


BUSES: dict[str, tuple[Callable[[Bus], Awaitable[None]], str]] = {
    "unreachable": (lambda bus: bus.kill(), f"waiting for the bus: {NO_SERVER}"),
    "refuses the seed": (of_another_user, f"waiting for the bus: {REFUSED}"),
    "without JetStream": (without_jetstream, f"waiting for JetStream: {NO_JETSTREAM}"),
    "without JetStream for the account": (without_jetstream_for_the_account, f"waiting for JetStream: {NO_JETSTREAM}"),
    "without stream": (without_stream, f"waiting for the stream {STREAM}: the bus has none, run `co bus setup`"),
    "without consumer": (without_consumer, "waiting for the consumer fees: the stream has none, run `co bus setup`"),
}


@pytest.mark.parametrize("what", BUSES)
async def test_a_replica_whose_bus_is_not_as_it_must_be_says_why_once_and_starts_when_it_is(
    sqlite_stack: PlumbingStack, logged: Logged, what: str
) -> None:
    bus, (spoil, sentence) = sqlite_stack.bus, BUSES[what]
    whole = (bus.root / "nats.conf").read_text()
    await spoil(bus)

    stopped, running = [await sqlite_stack.replica(ready=False) for _ in range(2)]
    for replica in (stopped, running):
        await eventually(lambda replica=replica: says(replica, re.escape(sentence)))
    async with asyncio.timeout(10):
        await stopped.stop()
    await bus.start_with(lambda _: whole)
    operator = await bus.client("operator")
    await set_up_bus(operator.jetstream())
    await operator.close()

    await eventually(lambda: is_ready(running), within=10)
    await works(sqlite_stack)
    lines = logged()
    assert [line["message"] for line in lines].count(sentence) in (1, 2)  # two replicas
    assert not [line for line in lines if "exception" in line]


async def test_a_replica_at_work_whose_bus_forgets_it_says_so_and_works_on_when_it_is_known_again(
    sqlite_stack: PlumbingStack,
) -> None:
    bus = sqlite_stack.bus
    running, whole = await sqlite_stack.replica(), (bus.root / "nats.conf").read_text()
    await of_another_user(bus)
    await eventually(lambda: says(running, re.escape(f"the bus: {REFUSED}")), within=10)

    await bus.start_with(lambda _: whole)

    await eventually(lambda: is_ready(running), within=10)
    await works(sqlite_stack)


@pytest.mark.parametrize(("ahead", "where"), [(AN_HOUR, "ahead"), (-AN_HOUR, "behind")])
async def test_a_replica_whose_clock_is_off_waits_until_it_is_set(
    stack: PlumbingStack, logged: Logged, ahead: timedelta, where: str
) -> None:
    whose = "bus" if stack.dialect == "sqlite" else "database"  # SQLite has no clock of its own
    off = f"(3600|359\\d) s {where} of the {whose}'s"
    sentence = f"waiting for clocks that agree: this machine's is {off}; set both by NTP"
    stack.clock.ahead = ahead
    stopped, running = [await stack.replica(ready=False) for _ in range(2)]
    for replica in (stopped, running):
        await eventually(lambda replica=replica: says(replica, sentence))
    async with asyncio.timeout(10):
        await stopped.stop()
    assert any(re.fullmatch(sentence, line["message"]) for line in logged())

    stack.clock.ahead = timedelta()

    await eventually(lambda: is_ready(running), within=10)
    await works(stack)


async def test_a_clock_that_differs_by_seconds_is_nobody_s_concern(stack: PlumbingStack) -> None:
    stack.clock.ahead = timedelta(seconds=25)

    await stack.replica()
    await works(stack)


async def test_a_clock_that_steps_at_work_stops_nothing(sqlite_stack: PlumbingStack) -> None:
    running = await sqlite_stack.replica()
    sqlite_stack.clock.ahead = timedelta(minutes=5)

    assert await is_ready(running)
    await works(sqlite_stack)


async def test_a_replica_whose_database_refuses_it_says_why_once_and_starts_when_it_is_let_in(
    postgres_house: PlumbingStack, postgres: Postgres, logged: Logged
) -> None:
    stack, name = postgres_house, str(make_url(postgres_house.url).database)
    url = postgres.url(name, WITH_PASSWORD).replace(WITH_PASSWORD, f"{WITH_PASSWORD}:new")
    refused = (
        "waiting for the database: it refuses this service ({}); correct that there, or correct the settings and start again"
    )
    stopped, running = [await stack.replica(ready=False, database_url=url) for _ in range(2)]

    async def it_says(why: str) -> None:
        wanted = re.escape(refused.format(why)) + r"|.*the database does not answer.*"
        await eventually(lambda: _says_first(running, wanted))

    await it_says(f'password authentication failed for user "{WITH_PASSWORD}"')
    async with asyncio.timeout(10):
        await stopped.stop()
    postgres.sql(f"CREATE ROLE {WITH_PASSWORD} LOGIN PASSWORD 'new'")
    try:
        await it_says("permission denied for table alembic_version")
        postgres.sql(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {WITH_PASSWORD}", name)
        postgres.sql(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {WITH_PASSWORD}", name)
        await eventually(lambda: is_ready(running), within=10)
        await works(stack)
        assert not [line for line in logged() if "exception" in line]
        await running.stop()
    finally:
        await stack.close()
        postgres.sql(f"DROP OWNED BY {WITH_PASSWORD}", name)
        postgres.sql(f"DROP ROLE {WITH_PASSWORD}")


async def _says_first(running: Running, sentence: str) -> bool:
    if running.serving.done():
        await running.serving
    problems = await running.replica.problems()
    assert problems
    assert re.fullmatch(sentence, problems[0]), f"{problems[0]!r} is not {sentence!r}"
    return "refuses" in problems[0]


async def test_a_replica_whose_database_is_not_there_waits_for_it(postgres_house: PlumbingStack, postgres: Postgres) -> None:
    running = await postgres_house.replica(ready=False, database_url=postgres.url("nowhere"))
    await eventually(lambda: _says_first(running, '.*refuses this service \\(database "nowhere" does not exist\\).*'))

    other = f"postgresql+asyncpg://co@127.0.0.1:{free_port()}/co"
    running = await postgres_house.replica(ready=False, database_url=other)

    async def is_away() -> bool:
        return (await running.replica.problems())[0].startswith("waiting for the database: it cannot be reached (")

    await eventually(is_away)


async def test_migrating_a_database_that_is_away_or_refuses_ends_with_4_and_a_sentence(
    postgres_databases: Databases, postgres: Postgres
) -> None:
    url = postgres_databases.empty()
    away = f"postgresql+asyncpg://co@127.0.0.1:{free_port()}/co"
    nobody = postgres.url(str(make_url(url).database), "nobody")
    unknown = 'it refuses this service (role \\"nobody\\" does not exist)'
    for address, why in ((away, "it cannot be reached"), (nobody, unknown)):
        code, said = await run("migrate", address)
        assert code == 4
        assert f"nothing is migrated without the database: {why}" in said
        assert "Traceback" not in said


WRONG = {
    "a file that is not there": ("CO_NATS_SEED_FILE", "/nowhere/seed", r"CO_NATS_SEED_FILE \(Path does not point to a file\)"),
    "a file that cannot be read": (
        "CO_DATABASE_PASSWORD_FILE",
        "/proc/self/mem",
        r"CO_DATABASE_PASSWORD_FILE \(/proc/self/mem cannot be read: .+\)",
    ),
    "a file that is not text": (
        "CO_DATABASE_PASSWORD_FILE",
        sys.executable,
        r"CO_DATABASE_PASSWORD_FILE \(it contains no text\)",
    ),
    "a path that cannot be": ("CO_NATS_SEED_FILE", "/x" * 5000, r"a file \(.*: File name too long\)"),
    "no address": ("CO_DATABASE_URL", "somewhere", r"CO_DATABASE_URL \(it is not the address of a database\)"),
    "another database": ("CO_DATABASE_URL", "mysql://co@db/co", r"CO_DATABASE_URL \(it must begin with .+ or .+\)"),
}


@pytest.mark.parametrize("what", WRONG)
def test_settings_that_cannot_be_right_are_refused_by_their_names(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    variable, value, sentence = WRONG[what]
    monkeypatch.setenv("CO_DATABASE_URL", "sqlite:////tmp/nothing.sqlite")
    monkeypatch.setenv("CO_NATS_SEED_FILE", __file__)
    monkeypatch.setenv("CO_EVENT_KEYS_FILE", __file__)
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsWrong, match=rf"^These settings are missing or wrong: {sentence}\.$"):
        read(DatabaseSettings if "DATABASE" in variable else Settings)


@pytest.mark.parametrize(
    ("variable", "file", "why"),
    [
        ("CO_NATS_SEED_FILE", "/nowhere/seed", "Path does not point to a file"),
        pytest.param("CO_NATS_SEED_FILE", __file__, "it contains no nkey seed", marks=pytest.mark.slow),
        pytest.param("CO_NATS_CA_FILE", __file__, "it contains no certificate", marks=pytest.mark.slow),
        pytest.param("CO_EVENT_KEYS_FILE", __file__, "it contains no keys of services", marks=pytest.mark.slow),
    ],
)
async def test_a_service_with_a_wrong_file_ends_with_1_and_a_sentence(
    sqlite_databases: Databases, variable: str, file: str, why: str
) -> None:
    code, said = await run("serve", sqlite_databases.of("fees"), **{variable: file})

    assert code == 1
    assert f"fees: These settings are missing or wrong: {variable} ({why})." in said
    assert "Traceback" not in said


async def test_a_process_that_waits_for_its_bus_ends_with_zero_on_sigterm(sqlite_stack: PlumbingStack) -> None:
    await of_another_user(sqlite_stack.bus)
    environment = {
        "CO_DATABASE_URL": sqlite_stack.url,
        "CO_NATS_URL": sqlite_stack.bus.url,
        "CO_NATS_SEED_FILE": str(sqlite_stack.bus.seed_file("fees")),
        "CO_EVENT_KEYS_FILE": str(sqlite_stack.bus.event_keys_file),
        "CO_HTTP_PORT": str(free_port()),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.fees", cwd=ROOT, env=os.environ | environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    async with asyncio.timeout(30):
        while REFUSED not in (await process.stdout.readline()).decode():
            pass
    process.send_signal(signal.SIGTERM)
    said, _ = await asyncio.wait_for(process.communicate(), 15)

    assert process.returncode == 0
    assert '"message": "stopped"' in said.decode()
