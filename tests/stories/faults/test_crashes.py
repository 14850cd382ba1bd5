"""Processes die at the worst moments, and nothing that was accepted is lost or done twice."""

import asyncio
import os
from collections.abc import Awaitable
from itertools import cycle
from pathlib import Path

import pytest

from tests.stories.faults.crowd import NO_FAULTS, Crowd
from tests.stories.faults.faulty import ANNOUNCED, DOCUMENT_SENT, POINTS

pytestmark = pytest.mark.slow

WHERE_THEY_CAN_DIE = {
    "registry": ("command-answered-not-told", "event-published-not-marked"),
    "certificates": (
        "command-before-commit",
        ANNOUNCED,
        "task-before-commit",
        "event-published-not-marked",
        "command-answered-not-told",
        "event-before-commit",
        "event-claimed-not-published",
        "event-committed-not-acknowledged",
        "task-committed",
    ),
    "fees": (
        "event-claimed-not-published",
        "event-committed-not-acknowledged",
        "command-answered-not-told",
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
    assert {*POINTS, DOCUMENT_SENT, ANNOUNCED} <= {point for points in chosen.values() for point in points}
    return chosen


async def test_every_process_is_killed_in_turn(crowd: Crowd, many: int) -> None:
    travelling = asyncio.create_task(crowd.send(many))
    killed: set[str] = set()
    for name in cycle(crowd.nation.stack.processes):
        if travelling.done() and name in killed:
            break
        await asyncio.sleep(0.5)
        crowd.nation.stack.kill(name)
        killed.add(name)
        await asyncio.sleep(0.5)
        await crowd.nation.stack.ready([name])
    await travelling

    await crowd.must_have_arrived()


async def test_every_service_dies_at_every_chosen_point(
    crowd: Crowd, many: int, tmp_path: Path, where_they_die: dict[str, tuple[str, ...]]
) -> None:
    await crowd.become_faulty(tmp_path, lambda name: where_they_die[name])
    wanted = {f"{name}-{point}" for name, points in where_they_die.items() for point in points}
    await crowd.send(many)
    while missing := wanted - set(os.listdir(tmp_path)):
        work: list[Awaitable[object]] = [crowd.send(4)]  # until there was work at every point
        if any(name.startswith("registry") for name in missing):
            work.append(Crowd.gather(crowd.nation, crowd.partner, crowd.patience))
        await asyncio.gather(*work)

    await crowd.become_faulty(tmp_path, NO_FAULTS)
    await crowd.must_have_arrived()
