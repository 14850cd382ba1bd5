"""`co asean`: the gateways of all members of the ASEAN Single Window on this machine, with faults between them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic, time
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.live import Live

from cli.commands.up import until_interrupted
from cli.output import page
from cli.region_matrix import as_table, matrix_page
from cli.target import CommandFailed
from deploy.embedded.layout import fixed_ports, free_ports
from deploy.region.documents import announce, documents_between
from deploy.region.ledger import RegionState
from deploy.region.stack import Region, exchanging_members

ROOT = Path("var/asean")
EXAMPLES = Path(__file__).parents[2] / "examples" / "region"
CUSTOMS, BEHAVIOUR = EXAMPLES / "customs.json", EXAMPLES / "behaviour.json"
STATE = "region.json"

app = App(name="asean", help="Run the gateways of all members on this machine, and show what they exchange.")


@app.command
async def up(
    *,
    root: Path = ROOT,
    members: tuple[str, ...] = (),
    behaviour: Path | None = BEHAVIOUR,
    any_ports: bool = False,
    documents: int = 0,
) -> None:
    """Run the gateway of every member, until Ctrl-C.

    Parameters
    ----------
    root
        The folder for databases, streams, secrets and logs.
    members
        The countries, by their codes. All that exchange documents today, if none is given.
    behaviour
        The file with latency, outages, duplicates, disorder and lost answers of each country.
    any_ports
        Use any free ports.
    documents
        Documents at random between the countries, announced at the start.
    """
    console = page()
    async with until_interrupted(console), _running(console, root, members, behaviour, any_ports) as region:
        if documents:
            seed = int(time())
            await announce(region, documents_between(region.countries, documents, seed, date.today()), seed)
            console.print(f"{documents} documents are on their way")
        async with matrix_page(region) as address:
            console.print(f"\n  matrix   {address}\n\nCtrl-C stops it. In another terminal: co asean show, co asean send 100")
            await asyncio.Event().wait()


@app.command
async def show(
    *,
    root: Path = ROOT,
    once: Annotated[bool, Parameter(negative=())] = False,
    as_json: Annotated[bool, Parameter("--json", negative=())] = False,
) -> int:
    """Show how many documents from each country to each other one wait, arrived, were received or rejected.

    The table is renewed each second until Ctrl-C. Exits with 1 if both sides of a document do not agree.

    Parameters
    ----------
    root
        The folder of the region.
    once
        Print it once.
    as_json
        Print it once as JSON.
    """
    region, console = _region_under(root), page()
    state = RegionState.read(region.database_files)
    if as_json:
        console.print_json(json.dumps(state.as_json()))
    elif once:
        console.print(as_table(state, region.countries, datetime.now(UTC)))
    else:
        async with until_interrupted(console):
            with Live(console=console, auto_refresh=False) as live:
                while True:
                    state = await asyncio.to_thread(RegionState.read, region.database_files)
                    live.update(as_table(state, region.countries, datetime.now(UTC)), refresh=True)
                    await asyncio.sleep(1)
    return 1 if state.disagreements() else 0


@app.command
async def send(count: int, /, *, root: Path = ROOT) -> None:
    """Announce documents at random between the countries of the running region.

    Parameters
    ----------
    count
        How many.
    root
        The folder of the region.
    """
    region, seed = _region_under(root), int(time())
    await announce(region, documents_between(region.countries, count, seed, date.today()), seed)
    page().print(f"{count} documents are on their way")


def _region_under(root: Path) -> Region:
    """The region that runs under a root. Raises CommandFailed."""
    try:
        state = json.loads((root / STATE).read_text())
    except FileNotFoundError:
        raise CommandFailed(f"No region runs under {root}: start it with `co asean up`.") from None
    return Region(root, members=state["members"], ports=lambda names: state["ports"])


@asynccontextmanager
async def _running(
    console: Console, root: Path, members: tuple[str, ...], behaviour: Path | None, any_ports: bool
) -> AsyncIterator[Region]:
    began = monotonic()
    region = Region(
        root,
        members=members or exchanging_members(date.today()),
        behaviour=behaviour,
        customs_rules=CUSTOMS,
        ports=free_ports if any_ports else fixed_ports,
        report=lambda name, state: console.print(f"  {name:<12} {state}"),
    )
    file = region.root / STATE
    try:
        async with region:
            file.write_text(json.dumps({"members": region.countries, "ports": region.ports}))
            console.print(f"ready in {monotonic() - began:.1f} s: {len(region.countries)} gateways")
            for name, megabytes in region.memory().items():
                console.print(f"  {name:<12} {megabytes:5.0f} MB")
            yield region
    finally:
        file.unlink(missing_ok=True)
        console.print("stopped")
