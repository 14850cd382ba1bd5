"""Processes die at the worst moments, and nothing that was accepted is lost or done twice."""

import asyncio
import os
from pathlib import Path

from tests.stories.faults.crowd import NO_FAULTS, Crowd
from tests.stories.faults.faulty import DOCUMENT_SENT, POINTS

WHERE_THEY_DIE = {
    "registry": ("command-answered-not-told", "event-published-not-marked"),
    "certificates": tuple(POINTS),
    "fees": (
        "command-before-commit",
        "command-answered-not-told",
        "event-before-commit",
        "event-committed-not-acknowledged",
        "event-published-not-marked",
    ),
    "gateway": (
        "event-before-commit",
        "event-committed-not-acknowledged",
        "event-published-not-marked",
        "task-before-commit",
        "task-committed",
        DOCUMENT_SENT,
    ),
    "tracking": ("event-before-commit", "event-committed-not-acknowledged"),
}


async def test_every_process_is_killed_in_turn(crowd: Crowd, many: int) -> None:
    travelling = asyncio.create_task(crowd.send(many))
    for name in crowd.nation.stack.processes:
        await asyncio.sleep(0.5)
        crowd.nation.stack.kill(name)
        await asyncio.sleep(0.5)
        await crowd.nation.stack.ready([name])
    await travelling

    await crowd.must_have_arrived()


async def test_every_service_dies_at_every_chosen_point(crowd: Crowd, many: int, tmp_path: Path) -> None:
    await crowd.become_faulty(tmp_path, lambda name: WHERE_THEY_DIE[name])
    wanted = {f"{name}-{point}" for name, points in WHERE_THEY_DIE.items() for point in points}
    await crowd.send(many)
    while missing := wanted - set(os.listdir(tmp_path)):
        await crowd.send(1)  # until there was work at every point
        if any(name.startswith("registry") for name in missing):
            await Crowd.gather(crowd.nation, crowd.partner, crowd.patience)

    await crowd.become_faulty(tmp_path, NO_FAULTS)
    await crowd.must_have_arrived()
