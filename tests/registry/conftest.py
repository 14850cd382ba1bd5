"""Registry at its desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.registry.parties import Parties, a_company
from tests.registry.people import a_registry


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_registry(tmp_path) as desk:
        yield desk


@pytest.fixture
async def parties(desk: Desk) -> Parties:
    """An exporter, and a forwarder that is to be its agent."""
    return Parties(await a_company(desk), await a_company(desk))
