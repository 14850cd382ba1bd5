"""How many pages of certificates the public site serves in a second, beside a body of the same size on the same server."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from statistics import median

import httpx

from bench.figures import Conditions, Figure, LeftOut, middle
from bench.filler import fill
from bench.http_load import Loaded, load_in_process
from bench.in_process import in_process, new_databases
from bench.processes import a_floor, cpu_ms
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack

FIGURES = ("public_page", "public_page_p99")

CERTIFICATES = 1000
CONNECTIONS = 32
RATE = 500
"""Pages a second at which the delays are measured, if the site holds them."""
HELD = 0.8
"""The part of the greatest rate at which a site still answers in time."""


async def measure(conditions: Conditions) -> list[Figure]:
    """Pages a second as fast as possible, and the 99th percentile of the delays at a rate."""
    if len(os.sched_getaffinity(0)) < 2:
        raise LeftOut("with one core the load takes its time from the site")
    seconds = conditions.at_most(8, 1)
    async with _site(conditions) as (stack, paths), _floor(conditions, stack, paths[0]) as (port, pid):
        own = stack.ports["tracking"], stack.processes["tracking"].pid or 0
        pairs, spent = [], []
        for _ in range(conditions.rounds):
            found = [await _as_fast_as_possible(*side, paths, seconds) for side in (own, (port, pid))]
            pairs.append((found[0][0].rate, found[1][0].rate))
            spent.append((found[0][1], found[1][1]))
        rate = min(RATE, HELD * median(pair[0] for pair in pairs))
        delays = []
        for _ in range(conditions.rounds):
            product = await load_in_process(own[0], paths, seconds, connections=CONNECTIONS, rate=rate)
            delays.append((product.p99, (await load_in_process(port, paths, seconds, connections=CONNECTIONS, rate=rate)).p99))
        size = found[0][0].size
    of_page, of_floor = (round(median(each), 3) for each in zip(*spent, strict=True))
    details = {"cpu_ms_of_a_page": of_page, "cpu_ms_of_the_floor": of_floor, "bytes": size, "certificates": len(paths)}
    return [
        middle("public_page", "pages/s", pairs, **details),
        middle("public_page_p99", f"ms at {rate:.0f}/s", delays, rate=round(rate)),
    ]


async def _as_fast_as_possible(port: int, pid: int, paths: list[str], seconds: float) -> tuple[Loaded, float]:
    """The load, and the CPU-ms of the server for each page."""
    before = cpu_ms(pid)
    found = await load_in_process(port, paths, seconds, connections=CONNECTIONS)
    if found.failed or not found.pages:
        raise OSError(f"the page was not served: {found.failed}")
    return found, (cpu_ms(pid) - before) / found.pages


@asynccontextmanager
async def _site(conditions: Conditions) -> AsyncIterator[tuple[Stack, list[str]]]:
    """Tracking alone, with many certificates, and the addresses of their pages."""
    root = conditions.folder / "site"
    file = await asyncio.to_thread(_database, conditions, root)
    with closing(sqlite3.connect(file)) as opened:
        paths = [f"/certificates/{row[0]}" for row in opened.execute("SELECT reference FROM tracked_certificates")]
    extra = {"FORWARDED_ALLOW_IPS": "127.0.0.1"}
    async with Stack(root, partners=(), services=("tracking",), ports=free_ports, extra=extra) as stack:
        yield stack, paths


def _database(conditions: Conditions, root: Path) -> Path:
    """Fills a database of tracking, before its service starts."""
    folder = conditions.folder / "filled"
    folder.mkdir()
    (root / "data").mkdir(parents=True)
    files = new_databases(folder)

    async def live() -> None:
        async with in_process(folder, files) as running:
            await running.begin()
            await running.live("received")
            now = running.services["tracking"].clock.instant
        fill(files, conditions.at_most(CERTIFICATES, 100), now)

    asyncio.run(live())
    return Path(shutil.copy(files["tracking"], root / "data" / "tracking.db"))


@asynccontextmanager
async def _floor(conditions: Conditions, stack: Stack, path: str) -> AsyncIterator[tuple[int, int]]:
    """The floor with the body and the headers of one page: its port and its process."""
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(stack.address("tracking") + path, headers={"accept": "text/html"})
    answer.raise_for_status()
    file = conditions.folder / "page.html"
    file.write_bytes(answer.content)
    own = {name: value for name, value in answer.headers.items() if name not in ("content-length", "date")}
    port = free_ports(["floor"])["floor"]
    async with a_floor("static_page", {"port": port, "file": str(file), "headers": own}) as pid:
        yield port, pid
