"""Supervised processes are restarted, stop in order, and end with their parent."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from deploy.embedded.processes import Program, StackFailed, Supervised
from tests.conftest import eventually
from tests.support.ports import free_port

WEB = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1")


def a_program(folder: Path, command: tuple[str, ...] | None = None) -> Program:
    port = free_port()
    return Program("web", command or (*WEB, str(port)), folder / "web.log", f"http://127.0.0.1:{port}/", {"HOME": str(folder)})


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[tuple[Supervised, list[str]]]:
    reports: list[str] = []
    process = Supervised(program, lambda name, state: reports.append(f"{name} {state}"))
    await process.start()
    try:
        yield process, reports
    finally:
        await process.stop()


async def ready(process: Supervised) -> None:
    async with httpx.AsyncClient() as http:
        await process.ready(http, 10)


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


async def test_a_killed_process_is_restarted_and_reported(tmp_path: Path) -> None:
    async with running(a_program(tmp_path)) as (process, reports):
        await ready(process)
        first = process.pid
        process.kill()
        await eventually(lambda: process.pid not in (None, first))
        await ready(process)
        assert reports == ["web was ended by SIGKILL; it restarts in 0.2 s"]
        assert process.restarts == 1


async def test_a_stopped_process_is_not_restarted(tmp_path: Path) -> None:
    async with running(a_program(tmp_path)) as (process, reports):
        await ready(process)
        pid = process.pid
        await process.stop()
        assert pid is not None
        assert process.pid is None
        assert not is_alive(pid)
        assert reports == []


async def test_a_process_that_ends_before_it_is_ready_is_not_restarted(tmp_path: Path) -> None:
    program = a_program(tmp_path, (sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"))
    async with running(program) as (process, _):
        with pytest.raises(StackFailed, match="web ended with code 3 before it was ready; its log is"):
            await ready(process)
    assert program.log_file.read_text() == "no such thing\n"


async def test_a_process_gets_only_the_given_environment(tmp_path: Path) -> None:
    program = a_program(tmp_path, (sys.executable, "-c", "import os; print(sorted(os.environ))"))
    async with running(program):
        await eventually(lambda: program.log_file.read_text() in ("['HOME']\n", "['HOME', 'LC_CTYPE']\n"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to the life of its parent")
async def test_a_killed_parent_leaves_no_process(tmp_path: Path) -> None:
    parent = f"""
import asyncio
from pathlib import Path
from deploy.embedded.processes import Program, Supervised
async def main():
    command = ({sys.executable!r}, "-c", "import time; time.sleep(60)")
    process = Supervised(Program("sleeper", command, Path({str(tmp_path)!r}) / "log", "http://127.0.0.1:1/"), print)
    await process.start()
    print(process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, stdout=PIPE)
    assert killed.stdout is not None
    child = int(await killed.stdout.readline())
    assert is_alive(child)
    os.kill(killed.pid, signal.SIGKILL)
    await killed.wait()
    await eventually(lambda: not is_alive(child))
