"""`co up` runs the complete system on this machine until Ctrl-C; `co demo` takes example consignments through it."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from cli.demo.journeys import DemoTarget, demo
from cli.demo.received import ANNOUNCER
from cli.demo.sign_ins import SignIns
from cli.output import page
from deploy.embedded.layout import HOME, PARTNERS, Layout, fixed_ports, free_ports
from deploy.embedded.stack import Stack

VAR = Path("var")


async def up(*, root: Path = VAR, country: str = HOME, partners: tuple[str, ...] = PARTNERS, any_ports: bool = False) -> None:
    """Run the complete system on this machine, until Ctrl-C.

    Parameters
    ----------
    root
        The folder for databases, the stream, secrets, logs and spans.
    country
        The country whose certificates are issued.
    partners
        The partner countries whose gateways run here too.
    any_ports
        Use any free ports, so that several systems can run at the same time.
    """
    console = page()
    async with (
        until_interrupted(console),
        _running(root, console, any_ports, country, partners) as stack,
    ):
        console.print(f"\n  portal          {stack.portal_address}/")
        console.print(f"  public site     {stack.public_address}/")
        if SignIns.under(root).exist:
            console.print(f"  people          co demo --root {root} shows who can sign in, and co code NAME their codes")
        console.print(f"  administrator   password in {stack.secrets.administrator_password}")
        console.print(f"  logs, spans     {stack.log_dir}, {stack.spans_dir}")
        console.print("\nCtrl-C stops it. In another terminal: co demo, co health, co bus lag, co dead list")
        await asyncio.Event().wait()


async def show(
    *,
    root: Path = VAR,
    json_file: Annotated[Path | None, Parameter("--json")] = None,
    leave: Annotated[bool, Parameter("--exit", negative=())] = False,
    any_ports: bool = False,
) -> int:
    """Take example consignments through the system that runs under the root, or through a new one.

    Then make people who can sign in to the portal, with certificates in every state, once for each root. Exits with 1 if a
    consignment does not have the expected result.

    Parameters
    ----------
    root
        The folder of the system, with its databases, secrets, logs and spans.
    json_file
        The file for the result of each certificate, as JSON.
    leave
        Stop at once after the consignments. By default people can sign in until Ctrl-C.
    any_ports
        Use any free ports for a new system.
    """
    console = page()
    as_expected = False
    if (root / "stack.json").exists():
        as_expected = await demo(_demo_target(Layout.of_running(root)), console, json_file, leave=not leave)
    else:
        async with (
            until_interrupted(console),
            _running(root, console, any_ports) as stack,
        ):
            as_expected = await demo(_demo_target(stack), console, json_file, leave=not leave)
            if not leave:
                console.print("\nCtrl-C stops it.")
                await asyncio.Event().wait()
    return 0 if as_expected else 1


@asynccontextmanager
async def _running(
    root: Path, console: Console, any_ports: bool, country: str = HOME, partners: tuple[str, ...] = PARTNERS
) -> AsyncIterator[Stack]:
    began = monotonic()

    def report(name: str, state: str) -> None:
        console.print(f"  {name:<12} {state}")

    stack = Stack(root, country=country, partners=partners, ports=free_ports if any_ports else fixed_ports, report=report)
    console.print(f"Starting everything under {stack.root}")
    try:
        async with stack:
            console.print(f"ready in {monotonic() - began:.1f} s")
            yield stack
            console.print("stopping")
    finally:
        console.print("stopped")


@asynccontextmanager
async def until_interrupted(console: Console) -> AsyncIterator[None]:
    """Cancels the block on Ctrl-C or SIGTERM, so that it stops in order."""
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    assert this is not None
    stop_requested = False

    def stop() -> None:
        nonlocal stop_requested
        if not stop_requested:
            stop_requested = True
            console.print("\nstopping")
            this.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not stop_requested:
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _demo_target(layout: Layout) -> DemoTarget:
    return DemoTarget(
        country=layout.country,
        nats_url=layout.nats_url,
        portal_seed=layout.seed("portal"),
        administrator_password=layout.administrator_password,
        tracking_address=layout.address("tracking"),
        spans_dir=layout.spans_dir,
        mail_dir=layout.mail_dir,
        authenticator_file=layout.authenticator_file,
        root=layout.root,
        portal_address=layout.portal_address,
        partner_seeds={country: layout.seed(ANNOUNCER, country) for country in layout.partners},
    )
