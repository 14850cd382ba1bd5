"""The bus as a cluster of three servers: the leader of the stream may fail."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from nats.js.api import StreamInfo

from cli.commands.bus import republish
from shared.bus.client import BusClient
from shared.bus.connection import connect
from shared.bus.stream import STREAM
from tests.conftest import eventually
from tests.containers.composed import PARTNER, Composed
from tests.containers.traffic import TimedClient, under_load
from tests.stories.conftest import users_of
from tests.support.load import Load

SERVERS = 3


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clustered(images: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Composed]:
    """The complete system with three servers of the bus."""
    settings = {"CO_NATS_URL": "tls://nats:4222,tls://nats-2:4222,tls://nats-3:4222"}
    async with Composed(
        tmp_path_factory.mktemp("cluster"), "co-cluster", "deploy/nats/cluster.yml", **settings
    ).running() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def load(clustered: Composed) -> AsyncIterator[Load]:
    async with (
        users_of(clustered, clustered.ca_file, TimedClient) as system,
        await BusClient.connect(
            "operator", clustered.nats_url, clustered.seed("operator", PARTNER), clustered.ca_file
        ) as partner,
    ):
        yield await Load.create(system, partner, patience=120)


async def test_the_leader_of_the_stream_is_killed_twice_and_nothing_is_lost(
    clustered: Composed, load: Load, outage: float
) -> None:
    leaders = []
    async with under_load(load):
        for _ in range(2):
            await asyncio.sleep(2)
            stream = await replicated_stream(clustered)
            assert stream.cluster is not None
            leaders.append(str(stream.cluster.leader))
            server = clustered.container(leaders[-1])
            server.kill()
            await asyncio.sleep(outage)
            server.start()
    print(f"killed leaders: {', '.join(leaders)}")
    await republish(where=clustered.where())
    assert (
        await replicated_stream(clustered)
    ).config.num_replicas == SERVERS  # `republish` without --replicas keeps the number


async def replicated_stream(composed: Composed) -> StreamInfo:
    """Waits until the stream has a leader and both followers are up to date; returns it."""

    async def look() -> StreamInfo | None:
        client = await connect("operator", composed.nats_url, composed.seed("operator"), composed.ca_file)
        try:
            stream = await client.jetstream(timeout=2).stream_info(STREAM)
        finally:
            await client.close()
        followers = stream.cluster.replicas if stream.cluster and stream.cluster.leader else None
        return stream if followers and all(peer.current and not peer.offline for peer in followers) else None

    async def look_again() -> StreamInfo | None:
        try:
            return await look()
        except Exception as error:
            raise AssertionError(repr(error)) from error

    found: StreamInfo = await eventually(look_again, within=60)
    return found
