"""`co bus`: the stream, its consumers, and the queues of every service."""

import asyncio
from typing import Annotated
from uuid import UUID

from cyclopts import App, Parameter

from cli.consistency_rules import FactReader
from cli.output import page, plain, table
from cli.target import CommandFailed, Where
from deploy.nats.stream import deliver_from_the_start, set_up_bus
from shared.bus.client import AskRefused, BusClient, NobodyAnswers
from shared.contracts.index import events, events_of, owner_of
from shared.contracts.operations import MAX_KEYS, AskLag, Lag, Reannounce, Reannounced, Republish, announced
from shared.security.event_signatures import examine_stream

PATIENCE = 30.0
"""The time-out of a long request, in seconds."""
MAX_SHOWN = 100

Replicas = Annotated[int | None, Parameter(env_var="CO_STREAM_REPLICAS")]
"""The number of servers that store the stream. By default an existing stream keeps its number and a new one gets one."""

app = App(name="bus", help="The stream, its consumers, and the queues of every service.")


@app.command
async def setup(*, where: Where | None = None, replicas: Replicas = None) -> None:
    """Create or update the stream and the consumers, and print the changes.

    Parameters
    ----------
    replicas
        The number of servers that store the stream. By default an existing stream keeps its number and a new one gets one.
    """
    target = (where or Where()).target()
    async with target.client() as client:
        changes = await set_up_bus(client.jetstream(timeout=10), target.services, replicas=replicas)
    plain().print("\n".join(changes) or "Nothing to change.")


@app.command
async def lag(*, where: Where | None = None, service: str | None = None) -> int:
    """Show how much waits in every service, and for how long. Exits with 1 if a service does not answer."""
    target = (where or Where()).target()
    services = target.only(service)
    async with target.bus_client() as bus:
        lags = await asyncio.gather(*(_lag_of(bus, name) for name in services))
    shown = table(
        "service", right=("events waiting", "delivered", "outbox", "oldest", "tasks", "oldest", "failing", "dead letters")
    )
    for name, found in zip(services, lags, strict=True):
        shown.add_row(name, *(_row(found) if found else ("[red]does not answer[/]",)))
    page().print(shown)
    return 0 if all(lags) else 1


@app.command
async def republish(*, where: Where | None = None, replicas: Replicas = None) -> None:
    """Publish the announced events again that are missing in the stream or have no valid signature there.

    Creates a missing stream and missing consumers first. The messages in the stream do not change.

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
        console.print("\n".join(changes) or "The stream and its consumers exist.")
        bus = BusClient(client, PATIENCE)
        announced_ids = {service: await _announced(bus, service) for service in target.services}
        held, _ = await examine_stream(client, target.event_keys())
        for service, ids in announced_ids.items():
            missing = sorted(ids - held)
            for start in range(0, len(missing), MAX_KEYS):
                await bus.ask(Republish(event_ids=tuple(missing[start : start + MAX_KEYS])), service=service)
            if missing:
                console.print(f"{service}: {len(missing)} of {len(ids)} events were missing and are published again")
    if all(ids <= held for ids in announced_ids.values()):
        console.print(f"Nothing is missing: the stream contains all {sum(map(len, announced_ids.values()))} announced events.")
    else:
        console.print("Services skip the events that they have already processed.")


@app.command
async def check(*, where: Where | None = None) -> int:
    """Verify the signature of every event in the stream, and list the invalid ones. Exits with 1 if there are any."""
    target = (where or Where()).target()
    async with target.client() as client:
        ids, others = await examine_stream(client, target.event_keys())
    shown = table("stored at (UTC)", "subject", "reason", right=("sequence",))
    for each in others[:MAX_SHOWN]:
        shown.add_row(f"{each.stored_at:%Y-%m-%d %H:%M:%S}", each.subject, each.why, str(each.sequence))
    if others:
        page().print(shown)
    plain().print(f"{len(ids)} events are genuine, {len(others)} messages are not.")
    return 1 if others else 0


@app.command(name="hand-over")
async def deliver_again(service: str, *, where: Where | None = None) -> None:
    """Deliver every event of the stream to a service again, for instance after its key file was outdated.

    Idempotent: the service skips the events that it has already processed.

    Parameters
    ----------
    service
        The service that has skipped valid events.
    """
    target = (where or Where()).target()
    target.only(service)
    async with target.client() as client:
        await deliver_from_the_start(client.jetstream(timeout=10), service)
    plain().print(f"Every event of the stream is delivered to {service} again.")


async def _announced(bus: BusClient, service: str) -> set[UUID]:
    reader = FactReader(bus, (service,))
    return {UUID(key) for event in events_of(service) for key in await reader.keys(f"{service}.{announced(event)}")}


@app.command
async def reannounce(*nouns: str, where: Where | None = None) -> None:
    """Let the owners announce the present state of their nouns again, for services that have lost data.

    Idempotent, and harmless for services that have the data.

    Parameters
    ----------
    nouns
        The nouns, such as certificate or registration; all by default.
    """
    target = (where or Where()).target()
    owners = {event.subject.split(".")[1]: owner_of(event) for event in events() if owner_of(event) in target.services}
    if unknown := sorted(set(nouns) - set(owners)):
        raise CommandFailed(f"There is no noun {', '.join(unknown)}; there are {', '.join(sorted(owners))}.")
    async with target.client() as client:
        bus = BusClient(client, PATIENCE)
        for noun in nouns or sorted(owners):
            count = await _reannounce(bus, owners[noun], noun)
            plain().print(f"{noun}: {owners[noun]} announced {count} events")


async def _reannounce(bus: BusClient, service: str, noun: str) -> int:
    count, after = 0, ""
    while True:
        answer: Reannounced = await bus.ask(Reannounce(noun=noun, after=after), service=service)
        count += answer.announced
        if answer.next is None:
            return count
        after = answer.next


async def _lag_of(bus: BusClient, service: str) -> Lag | None:
    try:
        answer: Lag = await bus.ask(AskLag(), service=service)
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
