"""Databases, the bus and the network fail under load. The system recovers by itself."""

import asyncio

import pytest

from cli.commands.bus import republish
from shared.contracts.operations import AskHealth, Health
from tests.conftest import eventually
from tests.containers.composed import PARTNER, Composed
from tests.containers.traffic import under_load
from tests.support.load import Load

DATABASES = ("registry", "certificates", "fees", "gateway", "tracking", "portal", "gateway-abroad")


@pytest.mark.parametrize("name", DATABASES)
async def test_while_a_database_is_down_only_its_service_waits(
    composed: Composed, load: Load, name: str, outage: float
) -> None:
    database = composed.container(f"{name}-db")
    async with under_load(load):
        await asyncio.sleep(1)
        await asyncio.to_thread(database.stop, timeout=10)
        try:
            for replica in composed.replicas(name):
                assert any("the database does not answer" in problem for problem in await replica.problems())
            others = [replica for replica in composed.replicas() if replica.service != name]
            assert all([await replica.is_ready() for replica in others])
            await asyncio.sleep(outage)
        finally:
            database.start()
        await asyncio.gather(*(replica.becomes_ready() for replica in composed.replicas(name)))


async def test_the_bus_is_killed_under_load(composed: Composed, load: Load, outage: float) -> None:
    bus = composed.container("nats")
    async with under_load(load):
        for _ in range(2):
            await asyncio.sleep(1)
            bus.kill()
            await asyncio.sleep(outage / 2)
            bus.start()
            await composed.all_ready()


async def test_an_empty_bus_gets_all_events_again(composed: Composed, load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    async with under_load(load):
        await asyncio.sleep(1)
        await composed.compose("rm", "--stop", "--force", "nats")
        await asyncio.to_thread(composed.remove_volume, "stream")
        await composed.compose("up", "--detach", "--no-deps", "nats")
        await eventually(lambda: composed.container("nats").attrs["State"]["Health"]["Status"] == "healthy", within=30)
        for country in ("KH", PARTNER):
            await republish(where=composed.where(country))
        await composed.all_ready()

    assert "are published again" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["certificates", "fees", "gateway"])
async def test_a_replica_is_disconnected_from_every_network_and_reconnected(
    composed: Composed, load: Load, name: str, outage: float
) -> None:
    disconnected = composed.replicas(name)[0]
    async with under_load(load):
        await asyncio.sleep(1)
        with composed.without_network(disconnected):
            await asyncio.sleep(2 * outage)
            health: Health = await load.system.operator.ask(AskHealth(), service=name)
            assert health.ready  # the other replica answers for the service
        await disconnected.becomes_ready()
