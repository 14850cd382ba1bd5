"""A container with a missing setting ends with one sentence. One without its database or bus waits and gives the reason."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import docker
import httpx
import nkeys
import pytest
import pytest_asyncio
from testcontainers.community.nats import NatsContainer
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from deploy.nats.permissions import USERS
from deploy.nats.server_conf import Account, write_server_conf
from deploy.nats.stream import set_up_bus
from deploy.secrets import Secrets
from shared.bus.connection import connect
from shared.security.event_signatures import event_keys_json
from tests.conftest import eventually
from tests.containers.composed import base_image, image_of

AHEAD = """
from datetime import timedelta
from shared.clock import Clock
now = Clock.now
Clock.now = lambda self: now(self) + timedelta(hours=1)
"""


@dataclass
class Surroundings:
    """A database with the schema of fees, a bus, and their network."""

    network: Network
    database: PostgresContainer
    bus: NatsContainer
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a service for this database and bus."""
        return {
            "CO_DATABASE_URL": "postgresql+asyncpg://co:secret@database/fees",
            "CO_NATS_URL": "nats://bus:4222",
            "CO_NATS_SEED_FILE": "/run/co/fees.seed",
            "CO_EVENT_KEYS_FILE": "/run/co/event.keys",
        }

    def a_container(self, *command: str, **changes: str | None) -> DockerContainer:
        """A container of fees with changed settings; None removes a setting."""
        container = DockerContainer(image_of("fees"), network=self.network).with_command(list(command) or ["serve"])
        container.with_volume_mapping(str(self.folder / "handed"), "/run/co", "ro")
        for name, value in {**self.settings, **changes}.items():
            if value is not None:
                container.with_env(name, value)
        return container

    def run(self, *command: str, **changes: str | None) -> tuple[int, str]:
        """Runs a container to its end; returns its exit code and its log."""
        with self.a_container(*command, **changes) as container:
            wrapped = container.get_wrapped_container()
            code = wrapped.wait(timeout=60)["StatusCode"]
            return code, wrapped.logs().decode()


@pytest.fixture(scope="module")
def surroundings(engine: docker.DockerClient, images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    folder = tmp_path_factory.mktemp("starting")
    secrets = Secrets(folder / "secrets")
    secrets.make({"KH": USERS}, hosts=())
    handed = folder / "handed"
    handed.mkdir()
    for user in ("fees", "operator"):
        (handed / f"{user}.seed").write_text(secrets.seed("KH", user).read_text())
    stranger = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    (handed / "stranger.seed").write_bytes(stranger)
    keys = (secrets.public_key("KH", "fees"), nkeys.from_seed(bytearray(stranger)).public_key.decode())
    (handed / "event.keys").write_bytes(event_keys_json({"fees": dict.fromkeys(keys)}))
    account = Account("KH", {user: (secrets.public_key("KH", user),) for user in USERS})
    conf = folder / "nats" / "nats.conf"
    write_server_conf(conf, (account,), store_dir=Path("/data"), listen="0.0.0.0:4222", monitor="127.0.0.1:8222")
    (conf.parent / "without.conf").write_text("\n".join(_without_jetstream(conf.read_text().splitlines())))
    _readable(folder)
    nats = base_image("NATS", "nats:2.15-alpine")
    with (
        Network() as network,
        PostgresContainer(base_image("POSTGRES", "postgres:15-bookworm"), username="co", password="secret", dbname="fees")
        .with_network(network)
        .with_network_aliases("database") as database,
        _server(nats, conf.parent, "nats.conf").with_network(network).with_network_aliases("bus") as bus,
        _server(nats, conf.parent, "without.conf").with_network(network).with_network_aliases("plain-bus"),
    ):
        around = Surroundings(network, database, bus, folder)
        code, output = around.run("migrate")
        assert (code, "Traceback" in output) == (0, False), output
        asyncio.run(_set_up(around, secrets))
        yield around


@pytest_asyncio.fixture(loop_scope="session")
async def sql(surroundings: Surroundings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database."""
    url = surroundings.database.get_connection_url(driver=None)
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"CO_NATS_SEED_FILE": None}, "CO_NATS_SEED_FILE"),
        ({"CO_NATS_SEED_FILE": "/run/co/forgotten.seed"}, "CO_NATS_SEED_FILE"),
        ({"CO_DATABASE_URL": None}, "CO_DATABASE_URL"),
        ({"CO_COUNTRY": "Cambodia"}, "CO_COUNTRY"),
    ],
    ids=["no seed", "a missing seed file", "no database", "a country name"],
)
def test_a_service_with_a_missing_setting_ends_with_one_sentence(
    surroundings: Surroundings, changes: dict[str, str | None], sentence: str
) -> None:
    code, output = surroundings.run(**changes)
    assert code == 1
    assert sentence in output
    assert len(output.splitlines()) == 1


async def test_a_schema_newer_than_the_code_is_refused(surroundings: Surroundings, sql: asyncpg.Connection) -> None:
    (before,) = [row["version_num"] for row in await sql.fetch("SELECT * FROM alembic_version WHERE version_num LIKE 'fees%'")]
    revisions = await sql.fetch("DELETE FROM runnable_revisions RETURNING revision")
    await sql.execute("UPDATE alembic_version SET version_num = 'fees_9999' WHERE version_num = $1", before)
    try:
        code, output = await asyncio.to_thread(surroundings.run)
        migrating, _ = await asyncio.to_thread(surroundings.run, "migrate")
    finally:
        await sql.execute("UPDATE alembic_version SET version_num = $1 WHERE version_num = 'fees_9999'", before)
        await sql.executemany("INSERT INTO runnable_revisions VALUES ($1)", [(row["revision"],) for row in revisions])
    assert (code, migrating) == (3, 3)
    assert "fees_9999, which is newer than this release" in output
    assert "Traceback" not in output


async def test_migrating_an_unreachable_database_ends_with_one_sentence(surroundings: Surroundings) -> None:
    changes = {"CO_DATABASE_URL": "postgresql+asyncpg://co:secret@nowhere/fees"}
    code, output = await asyncio.to_thread(surroundings.run, "migrate", **changes)
    assert code == 4
    assert len(output.splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"CO_DATABASE_URL": "postgresql+asyncpg://co:secret@nowhere/fees"}, "waiting for the database"),
        ({"CO_DATABASE_URL": "postgresql+asyncpg://co:wrong@database/fees"}, "waiting for the database: it refuses"),
        ({"CO_NATS_URL": "nats://nowhere:4222"}, "waiting for the bus"),
        ({"CO_NATS_SEED_FILE": "/run/co/stranger.seed"}, "waiting for the bus: it refuses this service's seed"),
        ({"CO_NATS_URL": "nats://plain-bus:4222"}, "waiting for JetStream"),
        (
            {"PYTHONPATH": "/run/co/ahead:/app"},
            "waiting for clocks that agree: this machine's is 3600 s ahead of the database's",
        ),
    ],
    ids=["no database", "another password", "no bus", "an unknown seed", "no JetStream", "a clock an hour ahead"],
)
async def test_a_service_waits_and_gives_the_reason(
    surroundings: Surroundings, changes: dict[str, str | None], reason: str
) -> None:
    container = surroundings.a_container(**changes)
    await asyncio.to_thread(container.start)
    try:
        wrapped = container.get_wrapped_container()

        async def reported() -> bool:
            problems = await _problems(wrapped)
            assert any(problem.startswith(reason) for problem in problems), (problems, wrapped.logs().decode()[-600:])
            return True

        await eventually(reported, within=60)
        await eventually(lambda: reason in wrapped.logs().decode())
        assert "Traceback" not in wrapped.logs().decode()
        began = time.monotonic()
        await asyncio.to_thread(wrapped.stop, timeout=30)
        wrapped.reload()
        assert wrapped.attrs["State"]["ExitCode"] == 0
        assert time.monotonic() - began < 20
    finally:
        await asyncio.to_thread(container.stop)


async def test_a_service_starts_by_itself_when_its_database_answers(surroundings: Surroundings) -> None:
    database = surroundings.database.get_wrapped_container()
    container = surroundings.a_container()
    await asyncio.to_thread(database.pause)
    try:
        await asyncio.to_thread(container.start)
        wrapped = container.get_wrapped_container()

        async def waiting() -> bool:
            return any("waiting for the database" in problem for problem in await _problems(wrapped))

        await eventually(waiting, within=30)
    finally:
        await asyncio.to_thread(database.unpause)

    async def ready() -> bool:
        return await _problems(wrapped) == []

    await eventually(ready, within=90)
    await asyncio.to_thread(container.stop)


async def _problems(container: Any) -> list[str]:
    container.reload()
    ips = [network["IPAddress"] for network in container.attrs["NetworkSettings"]["Networks"].values()]
    try:
        async with httpx.AsyncClient(timeout=5) as http:
            return list((await http.get(f"http://{ips[0]}:8000/ready")).json()["problems"])
    except httpx.HTTPError as error:
        raise AssertionError(f"{error!r}: {container.logs().decode()[-600:]}") from error


def _server(image: str, folder: Path, conf: str) -> NatsContainer:
    server = NatsContainer(image).with_command(["--config", f"/etc/nats/{conf}"])
    server.with_volume_mapping(str(folder), "/etc/nats", "ro")
    return server


def _without_jetstream(lines: list[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        inside = inside or line.startswith("jetstream {")
        if not inside and "jetstream: enabled" not in line:
            yield line
        inside = inside and line != "}"


async def _set_up(around: Surroundings, secrets: Secrets) -> None:
    client = await connect("operator", around.bus.nats_uri(), secrets.seed("KH", "operator").read_text())
    await set_up_bus(client.jetstream())
    await client.close()


def _readable(folder: Path) -> None:
    ahead = folder / "handed" / "ahead"
    ahead.mkdir()
    (ahead / "sitecustomize.py").write_text(AHEAD)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
