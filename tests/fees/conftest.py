"""Fixtures for the tests of fees."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.fees.handlers import router
from services.fees.tariffs import Tariffs
from tests.support.service_under_test import ServiceUnderTest, a_service_under_test


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("fees", router, tmp_path, Tariffs.load()) as service:
        yield service
