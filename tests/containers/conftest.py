"""Real containers: required with `make test CONTAINERS=required`, else the tests are skipped."""

import os
from asyncio import iscoroutinefunction
from collections.abc import AsyncIterator
from time import monotonic

import docker
import pytest
import pytest_asyncio
from docker.errors import DockerException

from shared.bus.client import BusClient
from tests.containers.composed import PARTNER, Composed, compose_plugin
from tests.containers.traffic import TimedClient
from tests.stories.conftest import RunningSystem, users_of
from tests.support.load import Load

REPLICAS = {"registry": 2, "certificates": 3, "fees": 2, "gateway": 2, "tracking": 2, "portal": 2, "gateway-abroad": 2}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a module share its system, so they share its loop."""
    for item in items:
        if "tests/containers" in str(item.path) and iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> docker.DockerClient:
    """A client of the container engine."""
    if os.environ.get("CO_CONTAINERS") != "required":
        pytest.skip("needs containers: `make test CONTAINERS=required`")
    compose_plugin(tmp_path_factory.mktemp("docker"))
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        pytest.fail(f"containers are required, and no engine answers: {error}")
    return client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def images(engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Builds our images from this source."""
    await Composed(tmp_path_factory.mktemp("build"), "co-build").compose("--profile", "tools", "build", "--quiet")


@pytest.fixture(scope="session")
def many(request: pytest.FixtureRequest) -> int:
    """The number of certificates in a load test."""
    return 500 if request.config.getoption("--full-scale") else 40


@pytest.fixture(scope="session")
def outage(request: pytest.FixtureRequest) -> float:
    """The length of an outage, in seconds."""
    return 20 if request.config.getoption("--full-scale") else 5


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def composed(images: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Composed]:
    """The complete system, with three replicas of certificates and two of every other service."""
    began = monotonic()
    async with Composed(tmp_path_factory.mktemp("system"), "co-test", replicas=REPLICAS).running() as running:
        print(f"{sum(REPLICAS.values())} replicas and all other containers healthy in {monotonic() - began:.0f} s")
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def system(composed: Composed) -> AsyncIterator[RunningSystem]:
    async with users_of(composed, composed.ca_file, TimedClient) as system:
        yield system


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def load(composed: Composed, system: RunningSystem) -> AsyncIterator[Load]:
    async with await BusClient.connect(
        "operator", composed.nats_url, composed.seed("operator", PARTNER), composed.ca_file
    ) as partner:
        yield await Load.create(system, partner, patience=120)
