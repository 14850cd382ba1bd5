"""Processes crash at every critical point. No accepted command is lost or executed twice."""

import asyncio
import os
from collections.abc import Awaitable
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.faulty import ANNOUNCED, DOCUMENT_SENT, POINTS
from tests.support.load import NO_FAULTS, Load

pytestmark = pytest.mark.slow

CRASH_POINTS = {
    "registry": ("command-answered-not-sent", "event-published-not-marked"),
    "certificates": (
        "command-before-commit",
        ANNOUNCED,
        "task-before-commit",
        "event-published-not-marked",
        "command-answered-not-sent",
        "event-before-commit",
        "event-claimed-not-published",
        "event-committed-not-acknowledged",
        "task-committed",
    ),
    "fees": (
        "event-claimed-not-published",
        "event-committed-not-acknowledged",
        "command-answered-not-sent",
        "event-published-not-marked",
        "command-before-commit",
        "event-before-commit",
    ),
    "gateway": (
        DOCUMENT_SENT,
        "task-committed",
        "event-committed-not-acknowledged",
        "event-before-commit",
        "event-claimed-not-published",
        "event-published-not-marked",
        "task-before-commit",
    ),
    "tracking": ("event-before-commit", "event-committed-not-acknowledged"),
    "portal": ("event-before-commit", "event-committed-not-acknowledged"),
}


@pytest.fixture
def crash_points(request: pytest.FixtureRequest) -> dict[str, tuple[str, ...]]:
    """All points at full scale; otherwise three for each service, which together cover all points."""
    limit = None if request.config.getoption("--full-scale") else 3
    chosen = {name: points[:limit] for name, points in CRASH_POINTS.items()}
    assert {point for points in chosen.values() for point in points} >= POINTS
    return chosen


async def test_every_process_is_killed_in_turn(load: Load, many: int) -> None:
    travelling = asyncio.create_task(load.send(many))
    killed: set[str] = set()
    for name in cycle(load.system.stack.processes):
        if travelling.done() and name in killed:
            break
        await asyncio.sleep(0.5)
        load.system.stack.kill(name)
        killed.add(name)
        await asyncio.sleep(0.5)
        await load.system.stack.ready([name])
    await travelling

    await load.check_arrival()


async def test_every_service_crashes_at_every_chosen_point(
    load: Load, many: int, tmp_path: Path, crash_points: dict[str, tuple[str, ...]]
) -> None:
    await load.set_faults(tmp_path, lambda name: crash_points[name])
    wanted = {f"{name}-{point}" for name, points in crash_points.items() for point in points}
    await load.send(many)
    while missing := wanted - set(os.listdir(tmp_path)):
        work: list[Awaitable[object]] = [load.send(4)]  # until every point was reached
        if any(name.startswith("registry") for name in missing):
            work.append(Load.create(load.system, load.partner, load.patience))
        await asyncio.gather(*work)

    await load.set_faults(tmp_path, NO_FAULTS)
    await load.check_arrival()
