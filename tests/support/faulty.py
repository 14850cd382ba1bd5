"""Runs a service with a fault: `python faulty.py SERVICE FOLDER FAULT...`. The services contain named hooks only, no faults.

Faults: the name of a point, at which the process kills itself once (a file in FOLDER records it); `twice` delivers every
event a second time; `shuffled` publishes events in random order; `clock` adds the seconds in FOLDER/clock to the clock.

Claims and leases of a dead replica expire after seconds instead of a minute, so that tests need not wait.
"""

import asyncio
import os
import random
import runpy
import signal
import sys
from datetime import timedelta
from pathlib import Path

from nats.aio.msg import Msg

from shared import hooks
from shared.clock import Clock
from shared.handling.task import Task
from shared.workers import outbox, tasks

LEASE_SECONDS = 5

DOCUMENT_SENT = "document-sent-not-recorded"
ANNOUNCED = "announced-not-committed"
POINTS = frozenset(
    {
        "command-before-commit",
        "command-answered-not-sent",
        "event-before-commit",
        "event-committed-not-acknowledged",
        "event-claimed-not-published",
        "event-published-not-marked",
        "task-before-commit",
        "task-committed",
        DOCUMENT_SENT,
        ANNOUNCED,
    }
)
OPERATIONAL = "ops."


def crash_at(point: str, record: Path) -> None:
    """Kills the process when it reaches a point, at a random of the first five times. Operator requests do not count."""
    remaining = random.randint(1, 5)

    async def crash(subject: str) -> None:
        nonlocal remaining
        remaining -= not subject.startswith(OPERATIONAL)
        if remaining <= 0:
            record.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    hooks.set_hook(point, crash)


def deliver_twice() -> None:
    """Returns every event to the bus once after its processing, like a lost acknowledgement."""
    acknowledge = Msg.ack

    async def ack(self: Msg) -> None:
        await (self.nak() if self.metadata.num_delivered == 1 else acknowledge(self))

    Msg.ack = ack  # type: ignore[method-assign]


def shuffle() -> None:
    """Delays each event by up to half a second, so that the order is random."""

    async def wait(subject: str) -> None:
        await asyncio.sleep(random.uniform(0, 0.5))

    hooks.set_hook("event-publishing", wait)


def step_clock(file: Path) -> None:
    """Adds the seconds in a file to the clock of the process."""
    now = Clock.now
    Clock.now = lambda self: now(self) + timedelta(seconds=float(file.read_text()))  # type: ignore[method-assign]


def main(service: str, folder: Path, *faults: str) -> None:
    outbox.CLAIM = tasks.LEASE = timedelta(seconds=LEASE_SECONDS)
    Task.limit, tasks.MARGIN = LEASE_SECONDS - 1.0, timedelta(seconds=1)
    points = [fault for fault in faults if fault in POINTS and not (folder / f"{service}-{fault}").exists()]
    if points:
        crash_at(points[0], folder / f"{service}-{points[0]}")
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
