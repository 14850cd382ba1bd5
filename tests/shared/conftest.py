"""Houses to test the plumbing in."""

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from io import StringIO
from typing import Any

import pytest

from shared.bus import pull_consumer
from shared.observability.logs import start_logs
from tests.conftest import Databases
from tests.support.bus import Bus
from tests.support.plumbing_stack import PlumbingStack, a_plumbing_stack


@pytest.fixture(autouse=True, scope="session")
def _short_pulls() -> Iterator[None]:
    """A replica ends when its last request for events expires: here after 50 ms, so that the tests are quick."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pull_consumer, "EXPIRES", 0.05)
        patched.setattr(
            pull_consumer, "REQUEST", json.dumps(json.loads(pull_consumer.REQUEST) | {"expires": 50_000_000}).encode()
        )
        yield


@pytest.fixture
async def stack(bus: Bus, databases: Databases) -> AsyncIterator[PlumbingStack]:
    """A bus and a database, on SQLite and on PostgreSQL."""
    async with a_plumbing_stack(bus, databases) as furnished:
        yield furnished


@pytest.fixture
async def sqlite_stack(bus: Bus, sqlite_databases: Databases) -> AsyncIterator[PlumbingStack]:
    """For what does not depend on the database."""
    async with a_plumbing_stack(bus, sqlite_databases) as furnished:
        yield furnished


@pytest.fixture
async def postgres_house(bus: Bus, postgres_databases: Databases) -> AsyncIterator[PlumbingStack]:
    """For what SQLite cannot do."""
    async with a_plumbing_stack(bus, postgres_databases) as furnished:
        yield furnished


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines that the service has logged, as an operator sees them."""
    root, written = logging.getLogger(), StringIO()
    before, level = root.handlers[:], root.level
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", written)
        start_logs("fees", "KH", "INFO")
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)
