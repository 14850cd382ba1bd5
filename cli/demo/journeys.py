"""`co demo`: real consignments travel through a running system, driven only as its users would."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from cli.demo.accounts import Account, Authenticator, Mailbox
from cli.demo.examples import Example, all_examples
from cli.demo.people import Exporter, Journey, Ministry, until
from cli.spans import kept_spans, traces_of
from shared.bus.client import BusClient
from shared.contracts.index import SERVICES

ZONE = ZoneInfo("Asia/Phnom_Penh")
LAST_CODES = {"REC", "NOT"}
LOOK_AGAIN = 0.05
"""Seconds between two looks at the public pages: the one door answers an address 20 times a second."""


@dataclass(frozen=True)
class Place:
    """A running system, as its users and its operator know it."""

    country: str
    nats_url: str
    portal_seed: str
    administrator_password: str
    tracking_address: str
    spans_dir: Path
    mail_dir: Path
    authenticator_file: Path
    administrator_email: str = "administrator@ministry.example"


@dataclass
class Progress:
    """How far one consignment has come. `waited`: seconds from an act of a person until the system had caught up."""

    example: Example
    doing: str = "waiting for its turn"
    certificate_id: str = ""
    reference: str = ""
    fee_khr: int | None = None
    waited: float = 0.0
    status: str = ""
    steps: list[dict[str, Any]] = field(default_factory=list)
    fob_disclosed: tuple[bool, ...] = ()
    trace_ids: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    problem: str | None = None

    @property
    def codes(self) -> list[str]:
        """The public codes in order."""
        return [step["code"] for step in self.steps]

    @property
    def as_expected(self) -> bool:
        """Whether it came to what its file says."""
        expected = self.example.expected
        reasons = tuple(reason["code"] for step in self.steps for reason in step["reasons"])
        return (self.status, self.codes, self.fee_khr, list(self.fob_disclosed), reasons) == (
            expected.status,
            expected.codes,
            expected.fee_khr,
            expected.fob_disclosed,
            tuple(expected.reasons),
        )


async def travel(progress: Progress, asker: BusClient, ministry: Ministry, web: httpx.AsyncClient) -> None:
    """Takes one consignment from the registration of its exporter to the customs of its destination."""
    example, today = progress.example, datetime.now(ZONE).date()
    progress.doing = "the company registers, an officer approves"
    exporter = await Exporter.register(asker, ministry, example)
    progress.doing = "its product is examined, the certificate drafted"
    journey = await Journey.begin(example, exporter, ministry, today)
    progress.certificate_id = str(journey.certificate_id)
    await journey.submit()
    if example.remarks:
        progress.doing = "returned by the first officer, corrected, submitted again"
        await journey.be_returned_and_correct(example.remarks, today)

    progress.doing = "the fee is assessed"
    submitted = monotonic()
    invoice = await journey.invoice()
    progress.waited = monotonic() - submitted
    progress.fee_khr = invoice.amount_khr
    await journey.pay(invoice, today)
    progress.doing = "two officers decide"
    await journey.review()
    await journey.approve()

    progress.doing = "issued and sent"
    decided = monotonic()
    state = await journey.issued()
    progress.reference, progress.fob_disclosed = state.reference or "", state.fob_disclosed
    arrival = f"{progress.reference} to reach its destination"
    tracked = await until(lambda: at_its_end(web, progress.reference), arrival, look_again=LOOK_AGAIN)
    progress.waited += monotonic() - decided
    progress.status, progress.steps = tracked["status"], tracked["steps"]
    progress.doing = "arrived" if progress.status == "REC" else "rejected: " + reasons_of(progress)


async def at_its_end(web: httpx.AsyncClient, reference: str) -> dict[str, Any] | None:
    """What the public page says, once the transmission has reached its last code; whoever cannot reach it tries again."""
    try:
        answer = await web.get("/public-search/atiga", params={"reference": reference, "format": "json"})
    except httpx.TransportError:
        return None
    found: dict[str, Any] = answer.json() if answer.status_code == httpx.codes.OK else {}
    return found if found.get("status") in LAST_CODES else None


def reasons_of(progress: Progress) -> str:
    """The reasons of a rejection in plain words."""
    return "; ".join(reason["en"] for step in progress.steps for reason in step["reasons"])


async def run_all(place: Place, on_progress: Callable[[list[Progress]], None]) -> list[Progress]:
    """Takes every example through the system, one after another; a failure is told and does not stop the others."""
    journeys = [Progress(example) for example in all_examples()]
    asker = await BusClient.connect("portal", place.nats_url, place.portal_seed)
    async with asker, httpx.AsyncClient(base_url=place.tracking_address, timeout=10) as web:
        administrator = Account(
            place.administrator_email, place.administrator_password, Authenticator(place.authenticator_file)
        )
        ministry = await Ministry.open(asker, administrator, Mailbox(place.mail_dir))
        for progress in journeys:
            travelling = asyncio.create_task(travel(progress, asker, ministry, web))
            while not travelling.done():
                on_progress(journeys)
                await asyncio.wait({travelling}, timeout=0.1)
            if error := travelling.exception():
                progress.doing = progress.problem = f"{progress.doing}: {error}"
            on_progress(journeys)
    await find_traces(journeys, place)
    return journeys


async def find_traces(journeys: list[Progress], place: Place) -> None:
    """Notes for every consignment its traces and the services in them, once the spans have been written."""

    async def look() -> bool | None:
        spans = list(kept_spans(place.spans_dir, place.country))
        for progress in journeys:
            traces = traces_of(progress.certificate_id, spans)
            progress.trace_ids = list(traces)
            progress.services = sorted({span.service for members in traces.values() for span in members})
        return True if all({*SERVICES, partner_of(p)} <= set(p.services) for p in journeys) else None

    try:
        await until(look, "the spans to be written", within=5)
    except TimeoutError:
        pass  # the table says which services were seen


def partner_of(progress: Progress) -> str:
    """The gateway of the destination, as traces name it."""
    return f"gateway-{progress.example.destination.lower()}"


def live_table(journeys: list[Progress]) -> Table:
    """How far everything has come."""
    table = Table(box=None, pad_edge=False)
    for heading in ("goods", "to", "now"):
        table.add_column(heading)
    for progress in journeys:
        table.add_row(progress.example.goods, progress.example.destination, progress.doing)
    return table


def final_table(journeys: list[Progress]) -> Table:
    """What became of every consignment, with the exact times of its codes."""
    table = Table(title="Certificates of origin, and where they are")
    for heading in ("reference", "goods", "to", "fee KHR", "statuses (UTC)", "system", "as expected"):
        table.add_column(heading, justify="right" if heading in ("fee KHR", "system") else "left")
    for progress in journeys:
        times = "  ".join(f"{step['code']} {step['at'][11:23]}" for step in progress.steps)
        why = f"\n{reasons_of(progress)}" if progress.status == "NOT" else ""
        table.add_row(
            progress.reference or "-",
            progress.example.goods,
            progress.example.destination,
            "-" if progress.fee_khr is None else f"{progress.fee_khr:,}",
            (progress.problem or times) + why,
            f"{progress.waited:.2f} s",
            "[green]yes[/]" if progress.as_expected else "[red]no[/]",
        )
    return table


def write_json(journeys: list[Progress], file: Path) -> None:
    """One object per certificate, for programs."""
    rows = [
        {
            "reference": progress.reference,
            "status": progress.status,
            "codes": progress.codes,
            "fee_khr": progress.fee_khr,
            "trace_ids": progress.trace_ids,
            "services": progress.services,
            "destination": progress.example.destination,
            "as_expected": progress.as_expected,
            "system_seconds": round(progress.waited, 3),
        }
        for progress in journeys
    ]
    file.write_text(json.dumps(rows, indent=2) + "\n")


async def demo(place: Place, console: Console, json_file: Path | None = None) -> bool:
    """Shows every example travel; says whether all came to what was expected of them."""
    with Live(console=console, refresh_per_second=8) as live:
        journeys = await run_all(place, lambda seen: live.update(live_table(seen)))
    console.print(final_table(journeys))
    console.print("\nFollow one:")
    for progress in journeys:
        if progress.reference:
            console.print(f"  {place.tracking_address}/public-search/atiga?reference={progress.reference}", soft_wrap=True)
    if json_file is not None:
        write_json(journeys, json_file)
    return all(progress.as_expected for progress in journeys)
