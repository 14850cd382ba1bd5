"""The processes of a measure: a floor in its own process, and what a process has used of a processor."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deploy.embedded import tied

TICKS = os.sysconf("SC_CLK_TCK")
READY = b"ready"
WITHIN = 30.0
"""Seconds in which a floor must be ready, and in which it must end."""


class FloorFailed(OSError):
    """The process of a floor has ended. Its message gives the last line of its output."""


@asynccontextmanager
async def a_floor(name: str, given: Mapping[str, object]) -> AsyncIterator[int]:
    """Runs `python -m bench.floors.NAME` with `given` as JSON until the block ends. Yields its process id once it is ready.

    Raises FloorFailed if it ends before.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-IS", tied.__file__, str(os.getpid())),
        *(sys.executable, "-m", f"bench.floors.{name}", json.dumps(given)),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), WITHIN)
        if line.strip() != READY:
            raise FloorFailed(f"the floor {name} does not start: {_last_line(line + await process.stdout.read())}")
        try:
            yield process.pid
        except OSError as error:
            if process.returncode is None:
                raise
            raise FloorFailed(f"the floor {name} has ended: {_last_line(await process.stdout.read())}") from error
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _last_line(output: bytes) -> str:
    return (output.decode().strip().splitlines() or ["it has printed nothing"])[-1]


def cpu_ms(pid: int) -> float:
    """The milliseconds of a processor that a process has used in all its threads, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1000 * (int(fields[11]) + int(fields[12])) / TICKS
