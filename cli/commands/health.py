"""`co health`: the health of every service."""

import asyncio

from rich.markup import escape

from cli.output import page, table
from cli.target import Where
from shared.bus.client import AskRefused, BusClient, NobodyAnswers
from shared.contracts.operations import AskHealth, Health


async def health(*, where: Where | None = None) -> int:
    """Show whether every service is ready, and its problems. Exits with 1 if one is not ready."""
    target = (where or Where()).target()
    async with target.bus_client() as bus:
        answers = await asyncio.gather(*(_health_of(bus, service) for service in target.services))
    shown = table("service", "ready", "since (UTC)", "problems")
    for service, answer in zip(target.services, answers, strict=True):
        if isinstance(answer, Health):
            ready = "[green]yes[/]" if answer.ready else "[red]no[/]"
            shown.add_row(service, ready, f"{answer.started_at:%Y-%m-%d %H:%M:%S}", escape("; ".join(answer.problems)))
        else:
            shown.add_row(service, "[red]no[/]", "", escape(answer))
    page().print(shown)
    return 0 if all(isinstance(answer, Health) and answer.ready for answer in answers) else 1


async def _health_of(bus: BusClient, service: str) -> Health | str:
    """The answer of the service, or the reason why there is none."""
    try:
        answer: Health = await bus.ask(AskHealth(), service=service)
    except NobodyAnswers:
        return "does not answer"
    except AskRefused as error:
        return error.refusal.detail
    return answer
