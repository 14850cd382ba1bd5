"""`co up`: the whole system on this machine, until it is told to stop; and `co demo`, which shows it at work."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from cli.demo.journeys import Place, demo
from cli.output import page
from deploy.embedded.layout import HOME, PARTNERS, Layout, fixed_ports, free_ports
from deploy.embedded.stack import Stack

VAR = Path("var")


async def up(*, root: Path = VAR, country: str = HOME, partners: tuple[str, ...] = PARTNERS, any_ports: bool = False) -> None:
    """Run the whole system on this machine, until Ctrl-C.

    Parameters
    ----------
    root
        Where databases, the stream, secrets, logs and spans are kept.
    country
        The country whose certificates are issued.
    partners
        The countries whose gateways run too.
    any_ports
        Use ports that are free, so that several systems can run side by side.
    """
    console = page()
    async with (
        _until_told(console),
        _running(root, console, any_ports, country, partners) as stack,
    ):
        console.print(f"\n  public page     {stack.address('tracking')}/")
        console.print(f"  administrator   password in {stack.secrets.administrator_password}")
        console.print(f"  logs, spans     {stack.log_dir}, {stack.spans_dir}")
        console.print("\nCtrl-C ends it. In another terminal: co demo, co health, co bus lag, co dead list")
        await asyncio.Event().wait()


async def show(
    *,
    root: Path = VAR,
    json_file: Annotated[Path | None, Parameter("--json")] = None,
    leave: Annotated[bool, Parameter("--exit", negative=())] = False,
    any_ports: bool = False,
) -> int:
    """Take real consignments through the system: the one that runs under the root, or one started for this.

    Ends with 1 where one of them does not come to what was expected.

    Parameters
    ----------
    root
        Where the system keeps its databases, secrets, logs and spans.
    json_file
        Where to write what became of each certificate, for programs.
    leave
        End at once, also what was started for this; without it the pages stay there to be looked at until Ctrl-C.
    any_ports
        Use ports that are free, where the system is started for this.
    """
    console = page()
    as_expected = False
    if (root / "stack.json").exists():
        as_expected = await demo(_place(Layout.of_running(root)), console, json_file)
    else:
        async with (
            _until_told(console),
            _running(root, console, any_ports) as stack,
        ):
            as_expected = await demo(_place(stack), console, json_file)
            if not leave:
                console.print("\nCtrl-C ends it.")
                await asyncio.Event().wait()
    return 0 if as_expected else 1


@asynccontextmanager
async def _running(
    root: Path, console: Console, any_ports: bool, country: str = HOME, partners: tuple[str, ...] = PARTNERS
) -> AsyncIterator[Stack]:
    began = monotonic()

    def tell(name: str, what: str) -> None:
        console.print(f"  {name:<12} {what}")

    stack = Stack(root, country=country, partners=partners, ports=free_ports if any_ports else fixed_ports, tell=tell)
    console.print(f"Starting everything under {stack.root}")
    try:
        async with stack:
            console.print(f"ready in {monotonic() - began:.1f} s")
            yield stack
            console.print("stopping")
    finally:
        console.print("stopped")


@asynccontextmanager
async def _until_told(console: Console) -> AsyncIterator[None]:
    """Ends what is within, in good order, on Ctrl-C or SIGTERM."""
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    assert this is not None
    told = False

    def stop() -> None:
        nonlocal told
        if not told:
            told = True
            console.print("\nstopping")
            this.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if not told:
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _place(layout: Layout) -> Place:
    return Place(
        country=layout.country,
        nats_url=layout.nats_url,
        portal_seed=layout.seed("portal"),
        administrator_password=layout.administrator_password,
        tracking_address=layout.address("tracking"),
        spans_dir=layout.spans_dir,
        mail_dir=layout.mail_dir,
        authenticator_file=layout.authenticator_file,
    )
