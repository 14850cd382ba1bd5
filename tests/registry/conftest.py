"""Registry at its desk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.registry.people import a_registry


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_registry(tmp_path) as desk:
        yield desk
