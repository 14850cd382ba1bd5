"""The matrix of a region, sender by receiver, as a table of the terminal and as a page."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from jinja2 import Environment
from rich.table import Table
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from deploy.region.ledger import ARRIVED, WAITING, Lane, RegionState
from deploy.region.stack import Region

PAGE = Environment(autoescape=True).from_string(Path(__file__).with_suffix(".html").read_text())
HEADING = "Rows: the sender. Columns: the receiver. A cell: wait / AS2 / REC / NOT, and how long the oldest waits."


def cell_of(lane: Lane | None, now: datetime) -> str:
    """A cell: how many wait, arrived, were received and rejected, and the age of the oldest that waits."""
    if lane is None:
        return "·"
    received = sum(count for code, count in lane.codes.items() if code in ("REC", "UTL", "UTP", "DEN"))
    figures = f"{lane.codes[WAITING]} / {lane.codes[ARRIVED]} / {received} / {lane.codes['NOT']}"
    return f"{figures} ({age_of(now - lane.oldest)})" if lane.oldest else figures


def age_of(waits: timedelta) -> str:
    """A time in the largest whole unit, such as 40 s, 5 min, 3 h or 12 d."""
    seconds = max(0, int(waits.total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def summary_of(state: RegionState) -> str:
    """How many documents are at each code, and whether both sides agree."""
    counts = ", ".join(f"{code} {count}" for code, count in sorted(state.counts().items())) or "No documents yet"
    wrong = state.disagreements()
    return f"{counts}. " + (f"{len(wrong)} DISAGREE: {wrong[0]}" if wrong else "Both sides agree on all.")


def as_table(state: RegionState, countries: Sequence[str], now: datetime) -> Table:
    """The table of the terminal."""
    lanes, table = state.lanes(), Table(title=HEADING, caption=summary_of(state))
    table.add_column("")
    for country in countries:
        table.add_column(country, justify="right")
    for sender in countries:
        cells = [cell_of(lanes.get((sender, receiver)), now) if sender != receiver else "" for receiver in countries]
        table.add_row(sender, *cells)
    return table


def as_html(state: RegionState, countries: Sequence[str], now: datetime) -> str:
    """The page, which reloads itself every two seconds."""
    return PAGE.render(
        countries=countries, lanes=state.lanes(), now=now, cell_of=cell_of, heading=HEADING, summary=summary_of(state)
    )


class _Server(uvicorn.Server):
    """A server that leaves the handling of signals to the command."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def matrix_page(region: Region) -> AsyncIterator[str]:
    """Serves the page on this machine; gives its address."""

    async def matrix(request: Request) -> Response:
        state = await asyncio.to_thread(RegionState.read, region.database_files)
        return HTMLResponse(as_html(state, region.countries, datetime.now(UTC)))

    port = region.ports["matrix"]
    app = Starlette(routes=[Route("/", matrix)])
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        await serving
