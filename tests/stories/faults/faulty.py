"""Runs a service with a fault in it: `python faulty.py SERVICE FOLDER FAULT...`. Nothing of this is in the product.

Points: the process kills itself there, once for each point named; a file in FOLDER notes that it has. Other faults: `twice`
has every event delivered a second time, `shuffled` publishes in any order, `clock` adds the seconds in FOLDER/clock.

What a dead replica had claimed is taken over after seconds here instead of a minute, so that a test need not wait.
"""

import asyncio
import os
import random
import runpy
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from nats.aio.msg import Msg

from shared.clock import Clock
from shared.handling.task import Task
from shared.handling.work import Work
from shared.workers import outbox, tasks
from shared.workers.events import EventConsumer
from shared.workers.outbox import OutboxRelay
from shared.workers.requests import RequestHandler
from shared.workers.tasks import TaskRunner

TAKEN_OVER_AFTER = 5

POINTS: dict[str, tuple[type, str]] = {
    "command-before-commit": (RequestHandler, "_once"),
    "command-answered-not-told": (RequestHandler, "answer"),
    "event-before-commit": (EventConsumer, "_react"),
    "event-committed-not-acknowledged": (EventConsumer, "_take_together"),
    "event-claimed-not-published": (OutboxRelay, "_claim"),
    "event-published-not-marked": (OutboxRelay, "_publish"),
    "task-before-commit": (TaskRunner, "_put_away"),
    "task-committed": (TaskRunner, "_attempt"),
}
DOCUMENT_SENT = "document-sent-not-noted"
ANNOUNCED = "announced-not-committed"
OPERATIONAL = "ops."


def crash_at(owner: type, method: str, crash: Callable[[], None]) -> None:
    """Has a method end with the death of the process, where it would have returned."""
    original = getattr(owner, method)

    @wraps(original)
    async def dying(self: Any, *args: Any) -> Any:
        outcome = await original(self, *args)
        request = getattr(self, "_request", None)
        found_nothing = outcome == []
        if not found_nothing and (request is None or not request.subject.startswith(OPERATIONAL)):
            crash()
        return outcome

    setattr(owner, method, dying)


def crash_once_announced(crash: Callable[[], None]) -> None:
    """Has the process die when events stand in the transaction, before it is committed."""
    flush_outbox = Work.flush_outbox

    @wraps(flush_outbox)
    async def dying(self: Work) -> None:
        await flush_outbox(self)
        if self.announced:
            crash()

    Work.flush_outbox = dying  # type: ignore[method-assign]


def deliver_twice() -> None:
    """An event that was taken is given back once, as if the acknowledgement had been lost."""
    acknowledge = Msg.ack

    async def ack(self: Msg) -> None:
        await (self.nak() if self.metadata.num_delivered == 1 else acknowledge(self))

    Msg.ack = ack  # type: ignore[method-assign]


def shuffle() -> None:
    """Events are published one before another as chance will have it."""
    publish = OutboxRelay._publish

    async def later(self: OutboxRelay, row: Any) -> None:
        await asyncio.sleep(random.uniform(0, 0.5))
        await publish(self, row)

    OutboxRelay._publish = later  # type: ignore[method-assign]


def step_clock(file: Path) -> None:
    """The clock is off by what stands in a file."""
    now = Clock.now
    Clock.now = lambda self: now(self) + timedelta(seconds=float(file.read_text()))  # type: ignore[method-assign]


def main(service: str, folder: Path, *faults: str) -> None:
    outbox.CLAIM = tasks.LEASE = timedelta(seconds=TAKEN_OVER_AFTER)
    Task.limit, tasks.MARGIN = TAKEN_OVER_AFTER - 1.0, timedelta(seconds=1)
    ahead = [fault for fault in faults if fault in POINTS or fault in (DOCUMENT_SENT, ANNOUNCED)]
    if point := next((point for point in ahead if not (folder / f"{service}-{point}").exists()), None):
        countdown = [random.randint(1, 5)]

        def crash() -> None:
            countdown[0] -= 1
            if countdown[0] <= 0:
                (folder / f"{service}-{point}").touch()
                os.kill(os.getpid(), signal.SIGKILL)

        if point == DOCUMENT_SENT:
            from services.gateway.wire.exchange import Exchange

            crash_at(Exchange, "send", crash)
        elif point == ANNOUNCED:
            crash_once_announced(crash)
        else:
            crash_at(*POINTS[point], crash)
    if "twice" in faults:
        deliver_twice()
    if "shuffled" in faults:
        shuffle()
    if "clock" in faults:
        step_clock(folder / "clock")
    sys.argv = [f"services.{service}"]
    runpy.run_module(f"services.{service}", run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
