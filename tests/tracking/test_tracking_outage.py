"""The public site stays up while the bus and every other service are down, and says so when its own database is away."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import nkeys

from services.tracking.handlers import router
from services.tracking.routes import routes
from services.tracking.settings import TrackingSettings, tools
from services.tracking.store import TABLES
from shared.runtime.replica import Replica
from shared.runtime.service import Service
from shared.security.event_signatures import event_keys_json
from tests.conftest import eventually
from tests.support.ports import free_port

from .conftest import A_JOURNEY, REFERENCE, Tracking

SEARCH = f"/public-search/atiga?reference={REFERENCE}"
ADDRESSES = ("/", SEARCH, "/status", "/partners", "/codes", "/help", "/contact", "/openapi.json")


@dataclass
class Alone:
    """A replica without a bus, and a browser."""

    replica: Replica
    serving: asyncio.Task[None]
    web: httpx.AsyncClient


@asynccontextmanager
async def a_replica_alone(database: Path, folder: Path) -> AsyncIterator[Alone]:
    """A whole replica on this database. Nothing listens at the address of its bus."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    (folder / "seed").write_bytes(seed)
    key = nkeys.from_seed(bytearray(seed)).public_key.decode()
    (folder / "keys.json").write_bytes(event_keys_json({"tracking": {key: None}}))
    settings = TrackingSettings(
        database_url=f"sqlite+aiosqlite:///{database}",
        nats_url=f"nats://127.0.0.1:{free_port()}",
        nats_seed_file=folder / "seed",
        event_keys_file=folder / "keys.json",
        http_port=free_port(),
    )
    service = Service(name="tracking", router=router, tables=TABLES, settings=TrackingSettings, tools=tools, routes=routes)
    replica = Replica(service, settings)
    serving = asyncio.create_task(replica.serve())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.http_port}", timeout=5) as web:

        async def lives() -> bool:
            try:
                return (await web.get("/live")).status_code == 200
            except httpx.ConnectError:
                return False

        await eventually(lives)
        yield Alone(replica, serving, web)
        replica.stop()
        await asyncio.wait_for(serving, 10)


async def test_without_a_bus_every_page_answers_and_only_readiness_tells_it(tracking: Tracking, tmp_path: Path) -> None:
    await tracking.receive(*A_JOURNEY)
    await tracking.database.close()
    async with a_replica_alone(tmp_path / "tracking.sqlite", tmp_path) as alone:
        for address in ADDRESSES:
            for kind in ("text/html", "application/json"):
                answer = await alone.web.get(address, headers={"accept": kind})
                assert answer.status_code == 200, (address, kind, answer.text)
        ready = await alone.web.get("/ready")
        assert (ready.status_code, "the bus" in ready.json()["problems"][0]) == (503, True)

        async with alone.web.stream("GET", f"/certificates/{REFERENCE}/events") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 5000"
            alone.replica.stop()
            async with asyncio.timeout(2):  # an open page does not hold a replica that stops
                assert [line async for line in lines if line] == []
            await asyncio.wait_for(alone.serving, 10)


async def test_without_its_database_the_home_page_answers_and_a_search_says_to_wait(tracking: Tracking, tmp_path: Path) -> None:
    await tracking.database.close()
    (tmp_path / "tracking.sqlite").unlink()
    (tmp_path / "tracking.sqlite").mkdir()  # SQLite cannot open a folder
    for address in ("/", "/codes", "/help", "/contact"):
        assert (await tracking.see(address)).status_code == 200
    answer, page = await tracking.json(), await tracking.see("/status")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "temporarily_unavailable", "5")
    assert page.status_code == 503
    assert "Traceback" not in page.text
