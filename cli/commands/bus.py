"""`co bus`: the stream and its consumers, and what waits in every service."""

import asyncio
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter

from cli.consistency_rules import Ledgers
from cli.output import page, plain, table
from cli.target import CommandFailed, Where
from deploy.nats.stream import deliver_from_the_start, set_up_bus
from shared.bus.client import AskRefused, BusClient, NobodyAnswers
from shared.contracts.index import events, events_of, owner_of
from shared.contracts.operations import MAX_KEYS, AskLag, Lag, Reannounce, Reannounced, Republish, announced
from shared.security.event_signatures import examine_stream

PATIENCE = 30.0
"""Seconds for which a long answer is waited for."""
MOST_SHOWN = 100

Replicas = Annotated[int | None, Parameter(env_var="CO_STREAM_REPLICAS")]
"""On how many servers of a cluster the stream is kept; where it is not said, on as many as now, and a new one on one."""

app = App(name="bus", help="The stream and its consumers, and what waits in every service.")


@app.command
async def setup(*, where: Where | None = None, replicas: Replicas = None) -> None:
    """Make the stream and the consumers, or bring them up to date; says what was changed.

    Parameters
    ----------
    replicas
        On how many servers of a cluster the stream is kept; where it is not said, on as many as now, and a new one on one.
    """
    target = (where or Where()).target()
    async with target.client() as client:
        changes = await set_up_bus(client.jetstream(timeout=10), target.services, replicas=replicas)
    plain().print("\n".join(changes) or "Nothing to change.")


@app.command
async def lag(*, where: Where | None = None, service: str | None = None) -> int:
    """Show what waits in every service, and for how long. Ends with 1 where a service does not answer."""
    target = (where or Where()).target()
    services = target.only(service)
    async with target.asker() as asker:
        lags = await asyncio.gather(*(_lag_of(asker, name) for name in services))
    shown = table(
        "service", right=("events waiting", "taken", "outbox", "oldest", "tasks", "oldest", "failing", "dead letters")
    )
    for name, found in zip(services, lags, strict=True):
        shown.add_row(name, *(_row(found) if found else ("[red]does not answer[/]",)))
    page().print(shown)
    return 0 if all(lags) else 1


@app.command
async def republish(*, where: Where | None = None, replicas: Replicas = None) -> None:
    """Publish again what the services have announced and the stream does not hold, or holds without a valid signature.

    Makes the stream and the consumers first, where they are gone. Nothing happens to what the stream holds.

    Parameters
    ----------
    replicas
        As for `co bus setup`.
    """
    target = (where or Where()).target()
    console = plain()
    async with target.client() as client:
        jetstream = client.jetstream(timeout=10)
        changes = await set_up_bus(jetstream, target.services, replicas=replicas)
        console.print("\n".join(changes) or "The stream and its consumers are there.")
        asker = BusClient(client, PATIENCE)
        said = {service: await _announced(asker, service) for service in target.services}
        held, _ = await examine_stream(jetstream, target.event_keys())
        for service, ids in said.items():
            missing = sorted(ids - held)
            for start in range(0, len(missing), MAX_KEYS):
                await asker.ask(Republish(event_ids=tuple(missing[start : start + MAX_KEYS])), service=service)
            if missing:
                console.print(f"{service}: {len(missing)} of {len(ids)} events were missing and are published again")
    if all(ids <= held for ids in said.values()):
        console.print(f"Nothing is missing: the stream holds all {sum(map(len, said.values()))} events announced.")
    else:
        console.print("A service that has taken them already does nothing.")


@app.command
async def check(*, where: Where | None = None) -> int:
    """Verify the signature of every event in the stream, and name the messages that services pass over. Ends with 1 for any."""
    target = (where or Where()).target()
    async with target.client() as client:
        ids, others = await examine_stream(client.jetstream(timeout=10), target.event_keys())
    shown = table("stored at (UTC)", "subject", "why it is passed over", right=("sequence",))
    for each in others[:MOST_SHOWN]:
        shown.add_row(f"{each.stored_at:%Y-%m-%d %H:%M:%S}", each.subject, each.why, str(each.sequence))
    if others:
        page().print(shown)
    plain().print(f"{len(ids)} events are genuine, {len(others)} messages are not.")
    return 1 if others else 0


@app.command
async def hand_over(service: str, *, where: Where | None = None) -> None:
    """Have a service take every event of the stream again, for instance after its file of keys was not up to date.

    Harmless: what it has taken already does nothing.

    Parameters
    ----------
    service
        The service that passed over events which are genuine.
    """
    target = (where or Where()).target()
    target.only(service)
    async with target.client() as client:
        await deliver_from_the_start(client.jetstream(timeout=10), service)
    plain().print(f"{service} is handed every event of the stream again.")


async def _announced(asker: BusClient, service: str) -> set[UUID]:
    ledgers = Ledgers(asker, (service,))
    return {UUID(key) for event in events_of(service) for key in await ledgers.keys(f"{service}.{announced(event)}")}


@app.command
async def reannounce(*nouns: str, where: Where | None = None) -> None:
    """Have the owners announce the present state of their nouns, for services that have lost what they knew.

    Harmless to who knows it already, and harmless twice.

    Parameters
    ----------
    nouns
        Which nouns, such as certificate or registration; all, where none is named.
    """
    target = (where or Where()).target()
    owners = {event.subject.split(".")[1]: owner_of(event) for event in events() if owner_of(event) in target.services}
    if unknown := sorted(set(nouns) - set(owners)):
        raise CommandFailed(f"There is no noun {', '.join(unknown)}; there are {', '.join(sorted(owners))}.")
    async with target.client() as client:
        asker = BusClient(client, PATIENCE)
        for noun in nouns or sorted(owners):
            count = await _reannounce(asker, owners[noun], noun)
            plain().print(f"{noun}: {owners[noun]} announced {count} events")


async def _reannounce(asker: BusClient, service: str, noun: str) -> int:
    count, after = 0, ""
    while True:
        said: Reannounced = await asker.ask(Reannounce(noun=noun, after=after), service=service)
        count += said.announced
        if said.go_on_after is None:
            return count
        after = said.go_on_after


async def _lag_of(asker: BusClient, service: str) -> Lag | None:
    try:
        answer: Lag = await asker.ask(AskLag(), service=service)
    except NobodyAnswers:
        return None
    except AskRefused as error:
        raise CommandFailed(f"{service}: {error.refusal.detail}") from error
    return answer


def _row(lag: Lag) -> tuple[str, ...]:
    return (
        str(lag.events_waiting),
        str(lag.events_handed_over),
        str(lag.outbox_waiting),
        f"{lag.outbox_oldest_seconds:.1f} s",
        str(lag.tasks_waiting),
        f"{lag.tasks_oldest_seconds:.1f} s",
        str(lag.tasks_failing),
        f"[red]{lag.dead_letters}[/]" if lag.dead_letters else "0",
    )
