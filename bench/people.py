"""Measures the portal with a hundred people at once: `python -m bench.people --people 100 --seconds 60 --json FILE`.

The whole system starts in a new folder. Four companies and the officers of one office sign in one after another. First they
all read a page that asks no other service (the floor), then all read and act in the portal, each with a pause of 1 to 3
seconds between two pages. Printed: the seconds of each kind of page, and the share of a core of each process. This program,
which plays the people, needs a processor too. It takes about four minutes.
"""

import argparse
import asyncio
import json
import os
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from statistics import quantiles
from time import monotonic
from typing import Any
from uuid import uuid4

from bench.browsing import Measured, Visitor, a_browser
from bench.cpu import cpu_of_groups, cpu_of_machine, cpu_of_this_program, groups_of
from cli.demo.accounts import LINK, Account, AccountClient, Mailbox
from cli.demo.consignment import Journey
from cli.demo.examples import Example, all_examples
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, Ministry, until
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack
from shared.bus.client import BusClient
from shared.contracts.certificates.issuing import DraftCertificate
from shared.contracts.registry.users import AcceptInvitation, InviteColleague, InviteOfficer
from shared.contracts.roles import Role

COMPANIES, CERTIFICATES = 4, 15
"""Companies, and certificates of each before the measurement: two thirds paid and reviewed, one third issued."""
OFFICERS = 0.2
"""The part of the people who are officers: reviewers and approvers."""
AT_ONCE = 6
LIMIT = 1800.0
"""Seconds after which this program gives up."""
FULL = 0.85
"""A process with this share of a core has no time left."""


@dataclass
class Making:
    """Makes companies, certificates and people, over the bus."""

    bus: BusClient
    ministry: Ministry
    mail: Path

    def __post_init__(self) -> None:
        self._turn, self._today = asyncio.Semaphore(AT_ONCE), datetime.now(ZONE).date()

    async def company(self, example: Example) -> Exporter:
        """A registered company with certificates in several states."""
        exporter = await Exporter.register(self.bus, self.ministry, example)
        first = await Journey.begin(example, exporter, self.ministry, self._today)
        others = [Journey(example, exporter, self.ministry, uuid4(), first.products) for _ in range(CERTIFICATES - 1)]
        for each in others:
            consignment = example.consignment(each.products, self._today)
            draft = DraftCertificate(
                certificate_id=each.certificate_id, exporter_id=exporter.exporter_id, consignment=consignment
            )
            await exporter.person.ask(draft)
        await asyncio.gather(*(self._take(each, number) for number, each in enumerate([first, *others])))
        return exporter

    async def _take(self, journey: Journey, number: int) -> None:
        async with self._turn:
            await journey.submit()
            if number % 3:
                await journey.pay(await journey.invoice(), self._today)
                await journey.review()
        if number % 3 == 2:
            await journey.approve()
            await journey.issued()

    async def people(self, count: int, companies: list[Exporter]) -> list[tuple[Account, bool]]:
        """People with accounts, and whether each is an officer."""
        accounts, officers = [], round(count * OFFICERS)
        invited = []
        for number in range(count):
            account = Account(f"person-{number}@measured.example", f"{uuid4()}")
            accounts.append(account)
            names: dict[str, Any] = {"user_id": uuid4(), "name": f"Person {number}", "email": account.email}
            if number < officers:
                role = Role.APPROVER if number % 2 else Role.REVIEWER
                invited.append(self.ministry.administrator.ask(InviteOfficer(**names, roles=(role,), office="PNH")))
            else:
                company = companies[number % len(companies)]
                invited.append(company.person.ask(InviteColleague(**names, roles=(Role.PREPARER, Role.SIGNATORY))))
        await asyncio.gather(*invited)
        links = await until(lambda: self._links(accounts), "the invitations", within=120, interval=0.5)
        await asyncio.gather(*(self._accept(each, links[each.email]) for each in accounts))
        await asyncio.gather(*(AccountClient.begin(self.bus, each) for each in accounts[:officers]))
        return [(account, number < officers) for number, account in enumerate(accounts)]

    async def _accept(self, account: Account, token: str) -> None:
        async with self._turn:
            await self.bus.ask(AcceptInvitation(token=token, password=account.password))

    async def _links(self, accounts: list[Account]) -> dict[str, str] | None:
        found = {}
        for file in self.mail.glob("invitation-*.eml"):
            email = message_from_bytes(file.read_bytes(), policy=default)
            if link := LINK.search(email.get_content()):
                found[str(email["To"])] = link["token"]
        return found if all(each.email in found for each in accounts) else None


def waiting_of(stack: Stack) -> dict[str, float]:
    """The seconds for which the first thread of each process was ready and waited for a core."""
    files = {name: Path(f"/proc/{process.pid}/schedstat") for name, process in stack.processes.items()}
    return {name: int(file.read_text().split()[1]) / 1e9 for name, file in files.items()}


def cpu_of(stack: Stack) -> dict[str, float]:
    """The seconds of processor that each process has used, with its children; `people`: this program; `machine`: all."""
    return cpu_of_groups(groups_of(stack)) | {"people": cpu_of_this_program(), "machine": cpu_of_machine()}


@dataclass(frozen=True)
class Phase:
    """What one phase has shown. `cpu`: the share of a core of each process; `waiting`: its wait for one."""

    name: str
    seconds: float
    measured: Measured
    cpu: dict[str, float]
    waiting: dict[str, float]

    def result(self) -> dict[str, Any]:
        """All figures, for JSON."""
        kinds = {kind: figures(seconds) for kind, seconds in sorted(self.measured.seconds.items())}
        everything = [each for seconds in self.measured.seconds.values() for each in seconds]
        each = self.ms_per_page
        return {
            "seconds": round(self.seconds, 1),
            "pages": self.measured.pages,
            "pages_per_second": round(self.measured.pages / self.seconds, 1),
            "submitted": self.measured.submitted,
            "all": figures(everything),
            "kinds": kinds,
            "failed": dict(self.measured.failed),
            "cores": {name: round(used, 3) for name, used in self.cpu.items()} | {"others": round(self.others, 3)},
            "waiting_for_a_core": {name: round(share, 3) for name, share in self.waiting.items()},
            "ms_per_page": {name: round(ms, 1) for name, ms in each.items()},
            "most_pages_per_second": round(1000 * (os.cpu_count() or 1) / sum(each.values()), 1),
            "limit": self.limit(),
        }

    @property
    def ms_per_page(self) -> dict[str, float]:
        """The milliseconds of a core that each process has used for a page."""
        pages = max(self.measured.pages, 1)
        return {name: 1000 * used * self.seconds / pages for name, used in self.cpu.items() if name != "machine"}

    @property
    def others(self) -> float:
        """The cores that programs outside of this measurement have used."""
        return self.cpu["machine"] - sum(used for name, used in self.cpu.items() if name != "machine")

    def limit(self) -> str:
        """What limits the pages a second."""
        services = {name: used for name, used in self.cpu.items() if name not in ("machine", "people")}
        busiest = max(services, key=lambda name: services[name])
        also, cores = f"the busiest process is {busiest} with {services[busiest]:.0%} of a core", os.cpu_count() or 1
        if services[busiest] >= FULL:
            return f"one process: {also}"
        if self.cpu["people"] >= FULL:
            return f"this program, which plays the people: {self.cpu['people']:.0%} of a core"
        if self.cpu["machine"] >= FULL * cores:
            return f"the {cores} cores of the machine, of which other programs use {self.others:.1f}; {also}"
        return f"nothing: people think longer than they wait; {also}"


def figures(seconds: list[float]) -> dict[str, Any]:
    """Median, 95th percentile and maximum in milliseconds."""
    if len(seconds) < 2:
        return {"pages": len(seconds), **dict.fromkeys(("p50", "p95", "max"), round(1000 * sum(seconds)))}
    parts = quantiles(seconds, n=100, method="inclusive")
    return {
        "pages": len(seconds),
        "p50": round(1000 * parts[49]),
        "p95": round(1000 * parts[94]),
        "max": round(1000 * max(seconds)),
    }


async def measure(name: str, stack: Stack, visitors: list[Visitor], seconds: float, what: Any) -> Phase:
    """One phase: all people do the same at the same time."""
    measured = Measured()
    for visitor in visitors:
        visitor.measured = measured
    before, waited, began = cpu_of(stack), waiting_of(stack), monotonic()
    end = asyncio.get_running_loop().time() + seconds
    await asyncio.gather(*(what(visitor, end) for visitor in visitors))
    lasted, after, still = monotonic() - began, cpu_of(stack), waiting_of(stack)
    cpu = {name: (after[name] - before[name]) / lasted for name in after}
    return Phase(name, lasted, measured, cpu, {name: (still[name] - waited[name]) / lasted for name in still})


def show(phase: Phase) -> None:
    """Prints the figures of a phase."""
    result = phase.result()
    print(f"\n{phase.name}: {result['pages']} pages in {result['seconds']} s, {result['pages_per_second']} a second")
    print(f"  {'page':<28}{'read':>6}{'p50':>8}{'p95':>8}{'max':>8}  ms")
    for kind, row in [*result["kinds"].items(), ("all", result["all"])]:
        print(f"  {kind:<28}{row['pages']:>6}{row['p50']:>8}{row['p95']:>8}{row['max']:>8}")
    used = sorted(result["cores"].items(), key=lambda pair: -pair[1])
    print("  cores used: " + ", ".join(f"{name} {share:.2f}" for name, share in used if share >= 0.01))
    held = sorted(result["waiting_for_a_core"].items(), key=lambda pair: -pair[1])
    print(
        "  event loop ready and waiting for a core: "
        + ", ".join(f"{name} {share:.2f}" for name, share in held if share >= 0.05)
    )
    costs = ", ".join(
        f"{name} {ms}" for name, ms in sorted(result["ms_per_page"].items(), key=lambda pair: -pair[1]) if ms >= 1
    )
    print(
        f"  ms of a core for each page: {costs}; so without other programs at most {result['most_pages_per_second']} a second"
    )
    print(f"  submitted: {result['submitted']}")
    print(f"  no page: {result['failed'] or 'none'}")
    print(f"  limit: {result['limit']}")


async def run(people: int, seconds: float, live: bool) -> list[Phase]:
    """Starts the system, makes the people, and measures."""
    async with AsyncExitStack() as closing:
        root = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="people-")))
        stack = await closing.enter_async_context(Stack(root, ports=free_ports, partners=("VN", "MY")))
        bus = await closing.enter_async_context(
            await BusClient.connect("portal", stack.nats_url, stack.seed("portal"), patience=60)
        )
        administrator = Account("administrator@ministry.example", stack.administrator_password)
        began = monotonic()
        ministry = await Ministry.open(bus, administrator, Mailbox(stack.mail_dir))
        making = Making(bus, ministry, stack.mail_dir)
        examples = [each for each in all_examples() if each.destination in stack.partners][:COMPANIES]
        companies = await asyncio.gather(*map(making.company, examples))
        accounts = await making.people(people, list(companies))
        print(f"{len(companies)} companies, {len(accounts)} people after {monotonic() - began:.0f} s")

        began, address = monotonic(), stack.portal_address.removesuffix("/portal")
        visitors = []
        for number, (account, officer) in enumerate(accounts):
            http = await closing.enter_async_context(a_browser(address))
            visitors.append(Visitor(http, account, officer=officer, live=live, seed=number))
            await visitors[-1].sign_in()  # one after another: registry delays an address with 50 undecided attempts
        print(f"signed in one after another: {(monotonic() - began) / people:.2f} s for each")
        floor = await measure("The floor", stack, visitors, max(seconds / 3, 5), Visitor.read_floor)
        show(floor)
        work = await measure(f"{people} people", stack, visitors, seconds, Visitor.work)
        show(work)
        return [floor, work]


def main() -> None:
    """Reads the arguments, runs, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-live", action="store_true", help="pages are not live: as without JavaScript")
    chosen = parser.parse_args()
    phases = asyncio.run(asyncio.wait_for(run(chosen.people, chosen.seconds, not chosen.no_live), LIMIT))
    if chosen.json:
        chosen.json.write_text(json.dumps({phase.name: phase.result() for phase in phases}, indent=2) + "\n")


if __name__ == "__main__":
    main()
