"""`co recover`: recovers a service whose database is older than its published events."""

import asyncio
from time import monotonic
from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn

from cli.consistency_rules import FactReader
from cli.output import page, plain, table
from cli.target import CommandFailed, Target, Where
from deploy.nats.stream import delete_own_consumer, deliver_for_recovery
from shared.bus.client import BusClient
from shared.contracts.operations import (
    MAX_KEYS,
    AskHealth,
    AskLag,
    AskRecovery,
    ConfirmRecovery,
    Health,
    Lag,
    LearnLostKeys,
    Recovery,
)

PATIENCE = 30.0
POLL_SECONDS = 0.3
KEYS_SHOWN = 20


async def recover(
    service: str,
    *,
    confirm: Annotated[bool, Parameter(negative=())] = False,
    within: float = 600.0,
    where: Where | None = None,
) -> None:
    """Recover a service: it replays its own events and gets the keys that only other services know.

    The service refuses commands until --confirm. Exits with 2 if the recovery cannot continue.

    Parameters
    ----------
    service
        The service in recovery.
    confirm
        End the recovery, after you have checked the lost keys.
    within
        Seconds to wait until the service has replayed the stream.
    """
    target = (where or Where()).target()
    target.only(service)
    async with target.client() as client:
        bus, jetstream = BusClient(client, PATIENCE), client.jetstream(timeout=10)
        state: Recovery = await bus.ask(AskRecovery(), service=service)
        if not state.recovering:
            plain().print(f"{service} is not in recovery: there is nothing to do.")
            return
        assert state.began_at is not None
        plain().print(f"{service} is in recovery since {state.began_at:%Y-%m-%d %H:%M:%S} UTC. {state.because}")
        if state.read_back is None:
            await deliver_for_recovery(jetstream, service, state.began_at)
        state = await _caught_up(bus, service, within)
        plain().print(f"It replayed {state.read_back} of its own events, and received the events of other services again.")
        await _compare(bus, target, service)
        if confirm:
            await bus.ask(ConfirmRecovery(), service=service)
            await delete_own_consumer(jetstream, service)
            await _until_ready(bus, service)
            plain().print(f"The recovery of {service} has ended.")
        else:
            plain().print(f"It refuses commands until you confirm: co recover {service} --confirm")


async def _caught_up(bus: BusClient, service: str, within: float) -> Recovery:
    """Waits until the service has processed all events of the stream."""
    until = monotonic() + within
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), transient=True) as progress:
        task = progress.add_task(f"{service} replays the stream")
        while monotonic() < until:
            state: Recovery = await bus.ask(AskRecovery(), service=service)
            lag: Lag = await bus.ask(AskLag(), service=service)
            if state.read_back is not None and not lag.events_waiting and not lag.events_handed_over:
                return state
            progress.update(task, description=f"{service} has {lag.events_waiting} events to process")
            await asyncio.sleep(POLL_SECONDS)
    raise CommandFailed(f"{service} has not processed the stream within {within:.0f} s. Run the command again.")


async def _until_ready(bus: BusClient, service: str) -> None:
    """Waits until the service is ready after its recovery."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        health: Health = await bus.ask(AskHealth(), service=service)
        if health.ready:
            return
        await asyncio.sleep(POLL_SECONDS)
    raise CommandFailed(f"{service} has left recovery but is not ready: {'; '.join(health.problems)}.")


async def _compare(bus: BusClient, target: Target, service: str) -> None:
    """Sends the service the keys that only other services know, and prints them."""
    reader = FactReader(bus, target.services)
    await reader.load()
    if reader.silent:
        raise CommandFailed(f"{', '.join(sorted(reader.silent))} must answer too, to find the keys that {service} has lost.")
    shown = table("keys that only other services know", "keys", right=("count",))
    sent = False
    for rule in reader.rules():
        owner, _, fact = rule.conclusion.partition(".")
        if owner != service or rule.since_first_received:
            continue
        lost = sorted(await reader.offenders(rule))
        for start in range(0, max(1, len(lost)), MAX_KEYS):
            await bus.ask(LearnLostKeys(fact=fact, keys=tuple(lost[start : start + MAX_KEYS])), service=service)
            sent = True
        if lost:
            some = ", ".join(lost[:KEYS_SHOWN]) + (", ..." if len(lost) > KEYS_SHOWN else "")
            shown.add_row(f"{rule.premise} without {rule.conclusion}", some, str(len(lost)))
    if not sent:
        await bus.ask(LearnLostKeys(fact="nothing", keys=()), service=service)
    page().print(shown if shown.row_count else "No other service knows a key that it has lost.")
