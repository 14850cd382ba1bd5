"""`co bus`: the stream and its consumers, and what waits in every service."""

import asyncio

from cyclopts import App

from cli.printing import page, plain, table
from cli.reach import CommandFailed, Where
from shared.asking import Asker, AskRefused, NobodyAnswers
from shared.bus import set_up_bus
from shared.contracts.ops import AskLag, Lag

app = App(name="bus", help="The stream and its consumers, and what waits in every service.")


@app.command
async def setup(*, where: Where | None = None, replicas: int = 1) -> None:
    """Make the stream and the consumers, or bring them up to date; says what was changed.

    Parameters
    ----------
    replicas
        On how many servers of a cluster the stream is kept.
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


async def _lag_of(asker: Asker, service: str) -> Lag | None:
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
