import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import make_url

import services.tracking
from services.tracking.certificate_pages import CertificatePages
from services.tracking.data_files import DataFiles
from services.tracking.figures import Figures
from services.tracking.handlers import router
from services.tracking.limits import Limits
from services.tracking.live import LIFETIME, Watching
from services.tracking.look_ups import LookUps
from services.tracking.routes import routes
from services.tracking.verifying import Uploads
from shared.contracts.certificates.issuing import CertificateIssued, CertificateStatus, CertificateStatusChanged
from shared.contracts.gateway.outages import PartnerOutageChanged
from shared.contracts.gateway.partners import PartnerObserved, PartnerState
from shared.contracts.gateway.transmissions import StatusCode, TransmissionAdvanced
from shared.contracts.messages import Event
from shared.database.engine import Database
from shared.database.migrations.schema import migrate
from shared.handling.work import ServiceContext
from shared.runtime.http_server import application
from shared.web.site import Site
from tests.support.service_under_test import SettableClock, a_health_check

CERTIFICATE = UUID("8a5a9a2e-7a58-4a7e-9d5f-0f6f0d0b7a02")
REFERENCE = "D2026-PNH-000123"
PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")
NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
SITE = Site(Path(services.tracking.__path__[0]), PHNOM_PENH, links={"telegram": "", "portal": ""})


def an_issued_certificate(**changes: Any) -> CertificateIssued:
    values: dict[str, Any] = {
        "certificate_id": CERTIFICATE,
        "reference": REFERENCE,
        "form": "D",
        "destination": "VN",
        "issued_on": date(2026, 3, 2),
        "valid_until": date(2027, 3, 2),
        "version": 7,
        "occurred_at": datetime(2026, 3, 2, 4, 0, tzinfo=UTC),
    }
    return CertificateIssued(**values | changes)


def a_step(code: str, version: int, **changes: Any) -> TransmissionAdvanced:
    values: dict[str, Any] = {
        "certificate_id": CERTIFICATE,
        "reference": REFERENCE,
        "destination": "VN",
        "number": 1,
        "code": StatusCode(code),
        "country": "KH" if code == "AS1" else "VN",
        "version": version,
        "occurred_at": datetime(2026, 3, 2, 5, version, 7, 123456, tzinfo=UTC),
    }
    return TransmissionAdvanced(**values | changes)


def a_status(status: str, version: int, at: datetime, **changes: Any) -> CertificateStatusChanged:
    values: dict[str, Any] = {
        "certificate_id": CERTIFICATE,
        "office": "PNH",
        "destination": "VN",
        "status": CertificateStatus(status),
        "submission": 1,
        "version": version,
        "occurred_at": at,
    }
    return CertificateStatusChanged(**values | changes)


def a_partner(country: str, state: str, version: int, at: datetime = NOON) -> PartnerObserved:
    return PartnerObserved(country=country, state=PartnerState(state), version=version, occurred_at=at)


def an_outage(country: str, version: int, ended_at: datetime | None = None, since: datetime = NOON) -> PartnerOutageChanged:
    return PartnerOutageChanged(country=country, since=since, ended_at=ended_at, version=version, occurred_at=ended_at or since)


A_JOURNEY: tuple[Event, ...] = (an_issued_certificate(), a_step("AS1", 1), a_step("AS2", 2), a_step("REC", 3))


class Tracking:
    """The tracking service with its own database, and HTTP requests of the public."""

    def __init__(self, database: Path, *, streams_last: float = LIFETIME) -> None:
        self.database = Database(make_url(f"sqlite:///{database}"))
        self.clock, self.limits = SettableClock(NOON), Limits()
        data = DataFiles()
        tools = [data, self.limits, Watching(interval=0.01, heartbeat=0.05, lifetime=streams_last), Figures(data), SITE]
        tools += [LookUps(), CertificatePages(data), Uploads()]
        self.context = ServiceContext("tracking", self.database, self.clock, ThreadPoolExecutor(1), tools)
        self.context.add(a_health_check())
        self.app = app = application(self.context, routes)
        self.public = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://track.example")

    async def receive(self, *events: Event) -> None:
        async with self.context.work(INVALID_SPAN) as work:
            for event in events:
                await router.events[type(event)](event, work)
                await work.session.flush()

    async def page(self, reference: str = REFERENCE, language: str = "en") -> httpx.Response:
        headers = {"accept": "text/html", "accept-language": language}
        return await self.public.get("/public-search/atiga", params={"reference": reference}, headers=headers)

    async def see(self, address: str, language: str = "en") -> httpx.Response:
        """The answer to a browser."""
        return await self.public.get(address, headers={"accept": "text/html", "accept-language": language})

    async def read(self, address: str) -> Any:
        """The answer to a program."""
        answer = await self.public.get(address, headers={"accept": "application/json"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def json(self, reference: str = REFERENCE) -> httpx.Response:
        return await self.public.get(
            "/public-search/atiga", params={"reference": reference}, headers={"accept": "application/json"}
        )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tracking") / "empty.sqlite"
    migrate("tracking", make_url(f"sqlite:///{file}"))
    return file


@pytest.fixture
async def tracking(empty_database: Path, tmp_path: Path) -> AsyncIterator[Tracking]:
    file = tmp_path / "tracking.sqlite"
    shutil.copy(empty_database, file)
    service = Tracking(file)
    yield service
    await service.public.aclose()
    service.context.stop()
    await service.context.close()
