"""The public site stays up while the bus and every other service are down, and says so when its own database is away."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import nkeys
import pytest

from services.tracking import routes
from shared.security.event_signatures import event_keys_json
from tests.conftest import eventually
from tests.support.ports import free_port

from .conftest import A_JOURNEY, REFERENCE, Tracking

pytestmark = pytest.mark.slow

STREAM = "/certificates/{reference}/events"
STATIC = re.compile(r'href="(/static/[^"]+)"')


@dataclass
class Alone:
    """The process of a replica without a bus, and a browser."""

    process: Process
    web: httpx.AsyncClient


@asynccontextmanager
async def a_replica_alone(database: Path, folder: Path) -> AsyncIterator[Alone]:
    """`python -m services.tracking` on this database. Nothing listens at the address of its bus."""
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    (folder / "seed").write_bytes(seed)
    key = nkeys.from_seed(bytearray(seed)).public_key.decode()
    (folder / "keys.json").write_bytes(event_keys_json({"tracking": {key: None}}))
    port = free_port()
    settings = {
        "CO_DATABASE_URL": f"sqlite:///{database}",
        "CO_NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "CO_NATS_SEED_FILE": f"{folder / 'seed'}",
        "CO_EVENT_KEYS_FILE": f"{folder / 'keys.json'}",
        "CO_HTTP_PORT": f"{port}",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.tracking"), env=os.environ | settings, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as web:

            async def lives() -> bool:
                assert process.returncode is None, await process.communicate()
                try:
                    return (await web.get("/live")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(lives)
            yield Alone(process, web)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def test_without_a_bus_every_page_answers_and_only_readiness_tells_it(tracking: Tracking, tmp_path: Path) -> None:
    await tracking.receive(*A_JOURNEY)
    await tracking.database.close()
    async with a_replica_alone(tmp_path / "tracking.sqlite", tmp_path) as alone:
        for path in routes.ADDRESSES:
            if path == STREAM:
                continue
            address = path.format(reference=REFERENCE, guide="copy")
            for kind in ("text/html", "application/json"):
                answer = await alone.web.get(address, params={"reference": REFERENCE}, headers={"accept": kind})
                assert answer.status_code == (404 if path == "/notices" else 200), (address, kind, answer.text)
                assert REFERENCE in answer.text or path not in ("/public-search/atiga", "/certificates/{reference}")
        files = STATIC.findall((await alone.web.get("/", headers={"accept": "text/html"})).text)
        assert files
        for address in files:
            assert (await alone.web.get(address)).status_code == 200, address
        ready = await alone.web.get("/ready")
        assert (ready.status_code, "the bus" in ready.json()["problems"][0]) == (503, True)

        async with alone.web.stream("GET", STREAM.format(reference=REFERENCE)) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 5000"
            alone.process.terminate()
            async with asyncio.timeout(5):  # an open page does not hold a replica that stops
                assert [line async for line in lines if line] == []
                assert await alone.process.wait() == 0


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
