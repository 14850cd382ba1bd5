"""`co dead`: lists, retries and discards dead letters, which are events and tasks that failed permanently."""

import json

from cyclopts import App
from rich.markup import escape

from cli.output import page, plain, table
from cli.target import CommandFailed, Where
from shared.bus.client import AskRefused, BusClient
from shared.contracts.operations import (
    DeadLetter,
    DeadLetters,
    DiscardDeadLetter,
    Discarded,
    ListDeadLetters,
    RetryDeadLetter,
    ShowDeadLetter,
)

app = App(name="dead", help="Dead letters: events and tasks that failed permanently.")


@app.command(name="list")
async def list_dead_letters(*, where: Where | None = None, service: str | None = None) -> int:
    """List the dead letters of all services or of one, oldest first. Exits with 1 if there are any."""
    target = (where or Where()).target()
    shown = table("service", "id", "failed (UTC)", "message", "key", "error")
    async with target.bus_client() as bus:
        for name in target.only(service):
            for letter in await _dead_letters_of(bus, name):
                error = letter.error.strip().splitlines()[-1] if letter.error.strip() else ""
                failed = f"{letter.died_at:%Y-%m-%d %H:%M:%S}"
                message = f"{letter.kind} {letter.name}"
                shown.add_row(name, str(letter.id), failed, message, escape(letter.key), escape(error[:200]))
    page().print(shown if shown.row_count else "No dead letters.")
    return 1 if shown.row_count else 0


@app.command
async def show(service: str, letter_id: int, *, where: Where | None = None) -> None:
    """Show a dead letter with its error, trace and body."""
    target = (where or Where()).target()
    target.only(service)
    async with target.bus_client() as bus:
        found: DeadLetters = await bus.ask(ShowDeadLetter(id=letter_id), service=service)
    (letter,) = found.letters
    console = plain()
    console.print(f"{letter.kind} {letter.name}, key {letter.key}, failed {letter.died_at:%Y-%m-%d %H:%M:%S} UTC")
    if letter.traceparent:
        console.print(f"trace {letter.traceparent.split('-')[1]}")
    console.print(f"\n{letter.error.strip()}\n\n{_readable(letter.body or '')}")


@app.command
async def retry(service: str, *letter_ids: int, everything: bool = False, where: Where | None = None) -> int:
    """Process dead letters again. Exits with 1 if one fails again; it stays a dead letter.

    Parameters
    ----------
    service
        The service of the dead letters.
    letter_ids
        The ids of the dead letters.
    everything
        Retry all, oldest first.
    """
    if bool(letter_ids) == everything:
        raise CommandFailed("Give the ids of dead letters, or --everything.")
    target = (where or Where()).target()
    target.only(service)
    console, failed = plain(), 0
    async with target.bus_client() as bus:
        for letter_id in letter_ids or [letter.id for letter in await _dead_letters_of(bus, service)]:
            try:
                await bus.ask(RetryDeadLetter(id=letter_id), service=service)
            except AskRefused as error:
                failed += 1
                console.print(f"{service} {letter_id}: {error.refusal.detail}")
            else:
                console.print(f"{service} {letter_id}: processed")
    return 1 if failed else 0


@app.command
async def discard(service: str, *letter_ids: int, because: str, where: Where | None = None) -> None:
    """Delete dead letters that can never be processed, such as malformed messages.

    Parameters
    ----------
    service
        The service of the dead letters.
    letter_ids
        The ids of the dead letters.
    because
        The reason, for the log of the service.
    """
    target = (where or Where()).target()
    target.only(service)
    async with target.bus_client() as bus:
        for letter_id in letter_ids:
            answer: Discarded = await bus.ask(DiscardDeadLetter(id=letter_id, because=because), service=service)
            plain().print(f"{service} {letter_id}: {answer.discarded.kind} {answer.discarded.name} is discarded")


async def _dead_letters_of(bus: BusClient, service: str) -> list[DeadLetter]:
    found: list[DeadLetter] = []
    after: int | None = 0
    while after is not None:
        page: DeadLetters = await bus.ask(ListDeadLetters(after=after, limit=500), service=service)
        found.extend(page.letters)
        after = page.next
    return found


def _readable(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
