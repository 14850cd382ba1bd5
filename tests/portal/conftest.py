"""One system for all tests of a module: each test has companies and people of its own."""

from asyncio import iscoroutinefunction
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.portal import System, a_system


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a module share its system, so they share its loop."""
    for item in items:
        if "tests/portal" in str(item.path) and iscoroutinefunction(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The system of a module."""
    async with a_system(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture
def system(shared_system: System) -> System:
    """The system of the module, with all its services."""
    shared_system.without = set()
    return shared_system
