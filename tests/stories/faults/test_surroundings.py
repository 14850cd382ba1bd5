"""Faults of the machine: its clock steps, its disk is full for a while."""

import asyncio
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.support.load import NO_FAULTS, Load

pytestmark = pytest.mark.slow

AN_HOUR = "3600"


def set_clock(folder: Path, ahead: str) -> None:
    """Sets a service's clock ahead, in seconds. Replaces the file atomically, because the service reads it at any time."""
    (folder / "next").write_text(ahead)
    (folder / "next").replace(folder / "clock")


async def test_clocks_that_step_by_an_hour_lose_nothing(load: Load, many: int, tmp_path: Path) -> None:
    clocks = {name: tmp_path / name for name in load.system.stack.services}
    for folder in clocks.values():
        folder.mkdir()
        set_clock(folder, "0")
    await load.set_faults(tmp_path, lambda name: ("clock",))

    for _ in range(2):
        travelling = asyncio.create_task(load.send(many // 2))
        await load.in_flight.wait()
        for step in (AN_HOUR, "0"):  # forward during the work, and back; meanwhile requests are refused
            for folder in clocks.values():
                await asyncio.sleep(0.3)
                set_clock(folder, step)
        await travelling
        await load.check_arrival()

    await load.set_faults(tmp_path, NO_FAULTS)


async def test_a_disk_that_is_full_for_a_while_loses_nothing(load: Load, many: int, small_disk: Path) -> None:
    travelling = asyncio.create_task(load.send(many))
    await load.in_flight.wait()

    for database in small_disk.glob("*.db"):  # otherwise the next writes may fit into the free space of a write-ahead log
        with closing(sqlite3.connect(database, timeout=10)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        while free := shutil.disk_usage(small_disk).free:
            with suppress(OSError):  # a service has written meanwhile: read the free space again
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)
    await asyncio.sleep(4)
    assert not travelling.done()
    ballast.unlink()
    await travelling

    await load.check_arrival()
