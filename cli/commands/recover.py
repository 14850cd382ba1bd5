"""`co recover`: a service whose database is older than what it has announced is led back to work."""

import asyncio
from time import monotonic
from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress, SpinnerColumn, TextColumn

from cli.consistency_rules import Ledgers
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
LOOK = 0.3
KEYS_SHOWN = 20


async def recover(
    service: str,
    *,
    confirm: Annotated[bool, Parameter(negative=())] = False,
    within: float = 600.0,
    where: Where | None = None,
) -> None:
    """Lead a service in recovery back to work: it reads its own events back, and learns what only others still know.

    It changes nothing until this is said with --confirm. Ends with 2 where it cannot go on.

    Parameters
    ----------
    service
        The service that is in recovery.
    confirm
        You have seen what is lost: the service may work again.
    within
        Seconds to wait for the service to have read what the stream holds.
    """
    target = (where or Where()).target()
    target.only(service)
    async with target.client() as client:
        asker, jetstream = BusClient(client, PATIENCE), client.jetstream(timeout=10)
        state: Recovery = await asker.ask(AskRecovery(), service=service)
        if not state.recovering:
            plain().print(f"{service} is not in recovery: there is nothing to do.")
            return
        assert state.began_at is not None
        plain().print(f"{service} is in recovery since {state.began_at:%Y-%m-%d %H:%M:%S} UTC. {state.because}")
        if state.read_back is None:
            await deliver_for_recovery(jetstream, service, state.began_at)
        state = await _caught_up(asker, service, within)
        plain().print(f"It read {state.read_back} of its own events back, and heard again what others announced.")
        await _compare(asker, target, service)
        if confirm:
            await asker.ask(ConfirmRecovery(), service=service)
            await delete_own_consumer(jetstream, service)
            await _works(asker, service)
            plain().print(f"{service} works again.")
        else:
            plain().print(f"It changes nothing until you confirm: co recover {service} --confirm")


async def _caught_up(asker: BusClient, service: str, within: float) -> Recovery:
    """Waits until the service has read and heard what the stream holds."""
    until = monotonic() + within
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), transient=True) as progress:
        told = progress.add_task(f"{service} reads what the stream holds")
        while monotonic() < until:
            state: Recovery = await asker.ask(AskRecovery(), service=service)
            lag: Lag = await asker.ask(AskLag(), service=service)
            if state.read_back is not None and not lag.events_waiting and not lag.events_handed_over:
                return state
            progress.update(told, description=f"{service} has {lag.events_waiting} events to hear")
            await asyncio.sleep(LOOK)
    raise CommandFailed(f"{service} had not read what the stream holds within {within:.0f} s: say the same again.")


async def _works(asker: BusClient, service: str) -> None:
    """Waits until the service has noticed that it may work again."""
    until = monotonic() + PATIENCE
    while monotonic() < until:
        health: Health = await asker.ask(AskHealth(), service=service)
        if health.ready:
            return
        await asyncio.sleep(LOOK)
    raise CommandFailed(f"{service} is out of recovery, but not ready: {'; '.join(health.problems)}.")


async def _compare(asker: BusClient, target: Target, service: str) -> None:
    """Tells the service what others know of it that it does not, and prints that."""
    ledgers = Ledgers(asker, target.services)
    await ledgers.open()
    if ledgers.silent:
        raise CommandFailed(f"{', '.join(sorted(ledgers.silent))} must answer too, to say what {service} has lost.")
    shown = table("what others know and it does not", "known as", right=("how many",))
    told = False
    for rule in ledgers.rules():
        knows, _, fact = rule.conclusion.partition(".")
        if knows != service or rule.since_heard:
            continue
        lost = sorted(await ledgers.offenders(rule))
        for start in range(0, max(1, len(lost)), MAX_KEYS):
            await asker.ask(LearnLostKeys(fact=fact, keys=tuple(lost[start : start + MAX_KEYS])), service=service)
            told = True
        if lost:
            some = ", ".join(lost[:KEYS_SHOWN]) + (", ..." if len(lost) > KEYS_SHOWN else "")
            shown.add_row(f"{rule.premise} without {rule.conclusion}", some, str(len(lost)))
    if not told:
        await asker.ask(LearnLostKeys(fact="nothing", keys=()), service=service)
    page().print(shown if shown.row_count else "Nobody knows anything of it that it does not know itself.")
