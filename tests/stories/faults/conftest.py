"""A system of its own for the faults: small in the ordinary run, thousands of certificates with `--full-scale`."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.asking import Asker
from tests.stories.conftest import a_nation
from tests.stories.faults.crowd import PARTNER, Crowd


@pytest.fixture(scope="session")
def many(request: pytest.FixtureRequest) -> int:
    """How many certificates are on their way during a fault."""
    return 2000 if request.config.getoption("--full-scale") else 16


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def crowd(tmp_path_factory: pytest.TempPathFactory, many: int) -> AsyncIterator[Crowd]:
    root = tmp_path_factory.mktemp("faults")
    async with (
        a_nation(root, (PARTNER,)) as nation,
        await Asker.connect("operator", nation.stack.nats_url, nation.stack.seed("operator", PARTNER)) as partner,
    ):
        yield await Crowd.gather(nation, partner, patience=60 + many / 2)
