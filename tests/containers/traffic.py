"""People who go on working while something happens to the system."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import monotonic
from typing import Any

from shared.bus.client import BusClient
from shared.contracts.messages import Command, Request
from tests.support.load import Load


class TimedClient(BusClient):
    """Notes how long each command took from the first try to the answer, as people feel it."""

    seconds: list[float]

    async def ask(self, request: Request, **whom: Any) -> Any:
        began = monotonic()
        answer = await super().ask(request, **whom)
        if isinstance(request, Command):
            vars(self).setdefault("seconds", []).append(monotonic() - began)
        return answer


@dataclass
class Traffic:
    """What was done meanwhile."""

    asker: TimedClient
    arrived: int = 0
    seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} commands of {self.arrived} certificates answered: median {median(self.seconds):.3f} s, "
            f"p99 {self.p99:.2f} s, slowest {max(self.seconds):.2f} s"
        )

    @property
    def p99(self) -> float:
        """Seconds in which all but one command of a hundred were answered."""
        return quantiles(self.seconds, n=100, method="inclusive")[98]


@asynccontextmanager
async def under_load(load: Load, hands: int = 3) -> AsyncIterator[Traffic]:
    """So many people take certificates from draft to approval, one after another, for as long as the block lasts.

    Afterwards everything they began must have arrived, once.
    """
    traffic = Traffic(load.system.portal)
    vars(traffic.asker).pop("seconds", None)
    stop = asyncio.Event()

    async def person() -> None:
        while not stop.is_set():
            await load.system.decide(await load.submitted())
            load.sent += 1
            traffic.arrived += 1

    people = [asyncio.create_task(person()) for _ in range(hands)]
    try:
        yield traffic
    finally:
        stop.set()
        ended = await asyncio.gather(*people, return_exceptions=True)
    failed = [error for error in ended if error]
    assert failed == []
    traffic.seconds = traffic.asker.seconds
    print(traffic)
    await load.must_have_arrived()
