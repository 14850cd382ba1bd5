"""The service certificates on a database, and an exporter with one approved product."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.certificates.handlers import router
from services.certificates.reference_data import ReferenceData
from tests.certificates.keys import certificate_tools
from tests.certificates.test_handlers import Trader
from tests.conftest import Databases
from tests.support.service_under_test import ServiceUnderTest, a_service_under_test


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("certificates", router, tmp_path, *certificate_tools()) as service:
        yield service


@pytest.fixture
async def trader(service: ServiceUnderTest) -> Trader:
    return await Trader(service).begin()


@pytest.fixture
async def on_postgres(postgres_databases: Databases, tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    """The service on PostgreSQL, where transactions really run at the same time."""
    url = postgres_databases.of("certificates")
    async with a_service_under_test("certificates", router, tmp_path, ReferenceData.load(), database_url=url) as service:
        yield service
