"""Fixtures for the tests of registry."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.registry.parties import Parties, a_company
from tests.registry.people import a_registry
from tests.support.service_under_test import ServiceUnderTest


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_registry(tmp_path) as service:
        yield service


@pytest.fixture
async def parties(service: ServiceUnderTest) -> Parties:
    """An exporter, and a forwarder that becomes its agent."""
    return Parties(await a_company(service), await a_company(service))
