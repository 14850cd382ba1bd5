"""`co dead`: the events and tasks that services gave up, why, and how to take them after all."""

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

app = App(name="dead", help="The events and tasks that services gave up: dead letters.")


@app.command(name="list")
async def list_letters(*, where: Where | None = None, service: str | None = None) -> int:
    """List dead letters, of all services or of one, oldest first. Ends with 1 where there are any."""
    target = (where or Where()).target()
    shown = table("service", "id", "died (UTC)", "what", "key", "why")
    async with target.asker() as asker:
        for name in target.only(service):
            for letter in await _letters_of(asker, name):
                why = letter.error.strip().splitlines()[-1] if letter.error.strip() else ""
                died = f"{letter.died_at:%Y-%m-%d %H:%M:%S}"
                shown.add_row(name, str(letter.id), died, f"{letter.kind} {letter.name}", escape(letter.key), escape(why[:200]))
    page().print(shown if shown.row_count else "No dead letters.")
    return 1 if shown.row_count else 0


@app.command
async def show(service: str, letter_id: int, *, where: Where | None = None) -> None:
    """Show one dead letter with its error, its trace and its body."""
    target = (where or Where()).target()
    target.only(service)
    async with target.asker() as asker:
        found: DeadLetters = await asker.ask(ShowDeadLetter(id=letter_id), service=service)
    (letter,) = found.letters
    console = plain()
    console.print(f"{letter.kind} {letter.name}, key {letter.key}, died {letter.died_at:%Y-%m-%d %H:%M:%S} UTC")
    if letter.traceparent:
        console.print(f"trace {letter.traceparent.split('-')[1]}")
    console.print(f"\n{letter.error.strip()}\n\n{_readable(letter.body or '')}")


@app.command
async def retry(service: str, *letter_ids: int, everything: bool = False, where: Where | None = None) -> int:
    """Take dead letters once more. Ends with 1 where one fails again and so stays where it is.

    Parameters
    ----------
    service
        The service that gave them up.
    letter_ids
        Which of its dead letters.
    everything
        All of them, oldest first.
    """
    if bool(letter_ids) == everything:
        raise CommandFailed("Say which dead letters, or --everything.")
    target = (where or Where()).target()
    target.only(service)
    console, failed = plain(), 0
    async with target.asker() as asker:
        for letter_id in letter_ids or [letter.id for letter in await _letters_of(asker, service)]:
            try:
                await asker.ask(RetryDeadLetter(id=letter_id), service=service)
            except AskRefused as error:
                failed += 1
                console.print(f"{service} {letter_id}: {error.refusal.detail}")
            else:
                console.print(f"{service} {letter_id}: taken")
    return 1 if failed else 0


@app.command
async def discard(service: str, *letter_ids: int, because: str, where: Where | None = None) -> None:
    """Give dead letters up for good, such as a message that nobody can read.

    Parameters
    ----------
    service
        The service that laid them aside.
    letter_ids
        Which of its dead letters.
    because
        Why; it stands in the service's log.
    """
    target = (where or Where()).target()
    target.only(service)
    async with target.asker() as asker:
        for letter_id in letter_ids:
            gone: Discarded = await asker.ask(DiscardDeadLetter(id=letter_id, because=because), service=service)
            plain().print(f"{service} {letter_id}: {gone.discarded.kind} {gone.discarded.name} is discarded")


async def _letters_of(asker: BusClient, service: str) -> list[DeadLetter]:
    letters: list[DeadLetter] = []
    while True:
        page: DeadLetters = await asker.ask(ListDeadLetters(after=letters[-1].id if letters else 0, limit=500), service=service)
        letters.extend(page.letters)
        if len(page.letters) < 500:
            return letters


def _readable(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body
