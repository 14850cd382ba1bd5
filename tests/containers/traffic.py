"""Users who continue to work during a fault."""

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
    """Records the seconds of each command from its first attempt to the answer."""

    seconds: list[float]

    async def ask(self, request: Request, **identity: Any) -> Any:
        began = monotonic()
        answer = await super().ask(request, **identity)
        if isinstance(request, Command):
            vars(self).setdefault("seconds", []).append(monotonic() - began)
        return answer


@dataclass
class Traffic:
    """The commands and certificates of a block `under_load`."""

    client: TimedClient
    arrived: int = 0
    seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(self.seconds)} commands of {self.arrived} certificates answered: median {median(self.seconds):.3f} s, "
            f"p99 {self.p99:.2f} s, slowest {max(self.seconds):.2f} s"
        )

    @property
    def p99(self) -> float:
        """The 99th percentile of the seconds of a command."""
        return quantiles(self.seconds, n=100, method="inclusive")[98]


@asynccontextmanager
async def under_load(load: Load, users: int = 3) -> AsyncIterator[Traffic]:
    """`users` take certificates from draft to approval, one after another, until the end of the block.

    Then it checks that every certificate has arrived exactly once.
    """
    traffic = Traffic(load.system.portal)
    vars(traffic.client).pop("seconds", None)
    stop = asyncio.Event()

    async def person() -> None:
        while not stop.is_set():
            await load.system.decide(await load.submitted())
            load.sent += 1
            traffic.arrived += 1

    workers = [asyncio.create_task(person()) for _ in range(users)]
    try:
        yield traffic
    finally:
        stop.set()
        ended = await asyncio.gather(*workers, return_exceptions=True)
    failed = [error for error in ended if error]
    assert failed == []
    traffic.seconds = traffic.client.seconds
    print(traffic)
    await load.check_arrival()
