"""Processes die at the worst moments, and nothing that was accepted is lost or done twice."""

import asyncio
import os
from collections.abc import Awaitable
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.faulty import ANNOUNCED, DOCUMENT_SENT, POINTS
from tests.support.load import NO_FAULTS, Load

pytestmark = pytest.mark.slow

WHERE_THEY_CAN_DIE = {
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
}


@pytest.fixture
def where_they_die(request: pytest.FixtureRequest) -> dict[str, tuple[str, ...]]:
    """Every point at full scale; else three in each service, every point in one of them."""
    most = None if request.config.getoption("--full-scale") else 3
    chosen = {name: points[:most] for name, points in WHERE_THEY_CAN_DIE.items()}
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

    await load.must_have_arrived()


async def test_every_service_dies_at_every_chosen_point(
    load: Load, many: int, tmp_path: Path, where_they_die: dict[str, tuple[str, ...]]
) -> None:
    await load.become_faulty(tmp_path, lambda name: where_they_die[name])
    wanted = {f"{name}-{point}" for name, points in where_they_die.items() for point in points}
    await load.send(many)
    while missing := wanted - set(os.listdir(tmp_path)):
        work: list[Awaitable[object]] = [load.send(4)]  # until there was work at every point
        if any(name.startswith("registry") for name in missing):
            work.append(Load.gather(load.system, load.partner, load.patience))
        await asyncio.gather(*work)

    await load.become_faulty(tmp_path, NO_FAULTS)
    await load.must_have_arrived()
