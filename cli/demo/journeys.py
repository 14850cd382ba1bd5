"""`co demo`: takes example consignments through a running system, with the requests of its users only."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
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
from cli.demo.consignment import Journey
from cli.demo.contents import Contents
from cli.demo.examples import Example, all_examples
from cli.demo.people import Exporter, Ministry, until
from cli.demo.received import announce_documents
from cli.demo.sign_ins import COMPANY_PEOPLE, OFFICERS, SignIns
from cli.spans import kept_spans, traces_of
from shared.bus.client import BusClient
from shared.contracts.index import SERVICES

ZONE = ZoneInfo("Asia/Phnom_Penh")
LAST_CODES = {"REC", "NOT"}
POLL_SECONDS = 0.05
"""The pause between two requests of a public page: nginx accepts 20 a second from an address."""


@dataclass(frozen=True)
class DemoTarget:
    """The addresses, credentials and folders of the running system."""

    country: str
    nats_url: str
    portal_seed: str
    administrator_password: str
    tracking_address: str
    spans_dir: Path
    mail_dir: Path
    authenticator_file: Path
    root: Path
    portal_address: str = ""
    partner_seeds: Mapping[str, str] = field(default_factory=dict)
    administrator_email: str = "administrator@ministry.example"


@dataclass
class Progress:
    """The progress of one consignment. `waited`: the seconds that users have waited for the system."""

    example: Example
    step: str = "not started"
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
        """Whether the result is the expected one of its file."""
        expected = self.example.expected
        reasons = tuple(reason["code"] for step in self.steps for reason in step["reasons"])
        return (self.status, self.codes, self.fee_khr, list(self.fob_disclosed), reasons) == (
            expected.status,
            expected.codes,
            expected.fee_khr,
            expected.fob_disclosed,
            tuple(expected.reasons),
        )


async def run_journey(progress: Progress, bus: BusClient, ministry: Ministry, web: httpx.AsyncClient) -> None:
    """Takes one consignment from the registration of its exporter to the customs of its destination. Updates `progress`."""
    example, today = progress.example, datetime.now(ZONE).date()
    progress.step = "the company registers, an officer approves"
    exporter = await Exporter.register(bus, ministry, example)
    progress.step = "its product is examined, the certificate is drafted"
    journey = await Journey.begin(example, exporter, ministry, today)
    progress.certificate_id = str(journey.certificate_id)
    await journey.submit()
    if example.remarks:
        progress.step = "returned by the first officer, corrected, submitted again"
        await journey.return_and_correct(example.remarks, today)

    progress.step = "the fee is assessed"
    submitted = monotonic()
    invoice = await journey.invoice()
    progress.waited = monotonic() - submitted
    progress.fee_khr = invoice.amount_khr
    await journey.pay(invoice, today)
    progress.step = "two officers decide"
    await journey.review()
    await journey.approve()

    progress.step = "issued and sent"
    decided = monotonic()
    state = await journey.issued()
    progress.reference, progress.fob_disclosed = state.reference or "", state.fob_disclosed
    arrival = f"{progress.reference} to reach its destination"
    tracked = await until(lambda: final_page(web, progress.reference), arrival, interval=POLL_SECONDS)
    progress.waited += monotonic() - decided
    progress.status, progress.steps = tracked["status"], tracked["steps"]
    progress.step = "arrived" if progress.status == "REC" else "rejected: " + reasons_of(progress)


async def final_page(web: httpx.AsyncClient, reference: str) -> dict[str, Any] | None:
    """The content of the public page after the last code, else None. None too if the page is unreachable."""
    try:
        answer = await web.get("/public-search/atiga", params={"reference": reference, "format": "json"})
    except httpx.TransportError:
        return None
    found: dict[str, Any] = answer.json() if answer.status_code == httpx.codes.OK else {}
    return found if found.get("status") in LAST_CODES else None


def reasons_of(progress: Progress) -> str:
    """The reasons of a rejection in English."""
    return "; ".join(reason["en"] for step in progress.steps for reason in step["reasons"])


@asynccontextmanager
async def a_ministry(target: DemoTarget) -> AsyncIterator[tuple[BusClient, Ministry]]:
    """A connection to the bus, and the officers of the demo."""
    administrator = Account(target.administrator_email, target.administrator_password, Authenticator(target.authenticator_file))
    async with await BusClient.connect("portal", target.nats_url, target.portal_seed) as bus:
        yield bus, await Ministry.open(bus, administrator, Mailbox(target.mail_dir))


async def run_all(
    target: DemoTarget, bus: BusClient, ministry: Ministry, on_progress: Callable[[list[Progress]], None]
) -> list[Progress]:
    """Takes every example through the system, one after another. A failure is recorded and does not stop the others."""
    journeys = [Progress(example) for example in all_examples()]
    async with httpx.AsyncClient(base_url=target.tracking_address, timeout=10) as web:
        for progress in journeys:
            running = asyncio.create_task(run_journey(progress, bus, ministry, web))
            while not running.done():
                on_progress(journeys)
                await asyncio.wait({running}, timeout=0.1)
            if error := running.exception():
                progress.step = progress.problem = f"{progress.step}: {error}"
            on_progress(journeys)
    await find_traces(journeys, target)
    return journeys


async def find_traces(journeys: list[Progress], target: DemoTarget) -> None:
    """Adds the traces of every consignment and their services, after the spans have been written."""

    async def look() -> bool | None:
        spans = list(kept_spans(target.spans_dir, target.country))
        for progress in journeys:
            traces = traces_of(progress.certificate_id, spans)
            progress.trace_ids = list(traces)
            progress.services = sorted({span.service for members in traces.values() for span in members})
        return True if all({*SERVICES, partner_of(p)} <= set(p.services) for p in journeys) else None

    try:
        await until(look, "the spans to be written", within=5)
    except TimeoutError:
        pass  # the table shows the services that were found


def partner_of(progress: Progress) -> str:
    """The gateway of the destination by its name in traces."""
    return f"gateway-{progress.example.destination.lower()}"


def live_table(journeys: list[Progress]) -> Table:
    """The present step of every consignment."""
    table = Table(box=None, pad_edge=False)
    for heading in ("goods", "to", "now"):
        table.add_column(heading)
    for progress in journeys:
        table.add_row(progress.example.goods, progress.example.destination, progress.step)
    return table


def final_table(journeys: list[Progress]) -> Table:
    """The result of every consignment, with the times of its codes."""
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
    """Writes one JSON object for each certificate."""
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


async def leave_contents(target: DemoTarget, bus: BusClient, ministry: Ministry, console: Console) -> None:
    """Leaves people who can sign in to the portal, and certificates in every state; once for each root."""
    sign_ins = SignIns.under(target.root)
    sign_ins.make()
    if not sign_ins.complete:
        began, today = monotonic(), datetime.now(ZONE).date()
        contents = Contents(bus, ministry, sign_ins, Mailbox(target.mail_dir), today)
        with console.status("People and certificates for the portal") as status:
            counts = await contents.make(lambda step: status.update(f"People and certificates for the portal: {step}"))
        await announce_documents(target.nats_url, target.partner_seeds, target.country, sign_ins, today)
        sign_ins.finish()
        states = ", ".join(f"{count} {state}" for state, count in counts.items())
        console.print(f"\nFor the portal {counts.total()} certificates were made in {monotonic() - began:.0f} s: {states}.")
    console.print()
    console.print(sign_in_table(sign_ins))
    console.print(f"\nThe portal: {target.portal_address}/", soft_wrap=True)
    console.print("An officer's code, without a phone: .venv/bin/co code NAME, with the first part of the address.")


def sign_in_table(sign_ins: SignIns) -> Table:
    """The people who can sign in, with their passwords."""
    table = Table(title="Who can sign in")
    for heading in ("address", "password", "code", "this person"):
        table.add_column(heading, no_wrap=True)
    for person in (*COMPANY_PEOPLE, *OFFICERS):
        code = f"co code {person.name}" if person in OFFICERS else "-"
        table.add_row(person.email, sign_ins.password(person.name), code, person.does)
    return table


async def demo(target: DemoTarget, console: Console, json_file: Path | None = None, *, leave: bool = False) -> bool:
    """Takes every example through the system and prints the progress. Returns whether all results are as expected.

    `leave`: it also leaves people who can sign in to the portal, with certificates in every state.
    """
    async with a_ministry(target) as (bus, ministry):
        with Live(console=console, refresh_per_second=8) as live:
            journeys = await run_all(target, bus, ministry, lambda journeys: live.update(live_table(journeys)))
        print_results(target, console, journeys)
        if leave:
            await leave_contents(target, bus, ministry, console)
    if json_file is not None:
        write_json(journeys, json_file)
    return all(progress.as_expected for progress in journeys)


def print_results(target: DemoTarget, console: Console, journeys: list[Progress]) -> None:
    """Prints the result of every consignment and the address of its public page."""
    console.print(final_table(journeys))
    console.print("\nPublic pages:")
    for progress in journeys:
        if progress.reference:
            console.print(f"  {target.tracking_address}/public-search/atiga?reference={progress.reference}", soft_wrap=True)
