"""The embedded run: start, discovery, restart of processes, and stop."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.layout import Layout
from deploy.embedded.processes import StackFailed
from deploy.embedded.stack import Stack
from shared.bus.client import BusClient
from shared.contracts.operations import AskHealth
from tests.conftest import eventually
from tests.support.ports import free_ports


def a_stack(root: Path, **options: Any) -> Stack:
    return Stack(root, **{"services": ("registry",), "partners": (), "ports": free_ports} | options)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
async def test_a_stack_runs_is_found_restarts_its_processes_and_stops_all(tmp_path: Path) -> None:
    reports: list[tuple[str, str]] = []
    async with a_stack(tmp_path, report=lambda name, state: reports.append((name, state))) as stack:
        found = Layout.of_running(tmp_path)
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{found.address('registry')}/ready")
        assert answer.json() == {"ready": True, "recovering": False, "problems": []}

        stack.kill("registry")
        await eventually(lambda: stack.processes["registry"].restarts == 1)
        await stack.ready()
        await stack.restart("registry")
        operator = await BusClient.connect("operator", found.nats_url, found.seed("operator"), patience=5)
        async with operator:
            assert (await operator.ask(AskHealth(), service="registry")).ready

        with pytest.raises(StackFailed, match=r"A stack already runs under .*"):
            await a_stack(tmp_path).__aenter__()
        pids = [process.pid for process in stack.processes.values() if process.pid]

    assert reports == [
        ("nats", "started"),
        ("registry", "started"),
        ("registry", "was ended by SIGKILL; it restarts in 0.2 s"),
        ("registry", "stopped"),
    ]
    assert len(pids) == 2
    assert not any(map(is_running, pids))
    assert not stack.state_file.exists()


async def test_a_stack_that_cannot_start_gives_the_reason_and_stops_all(tmp_path: Path) -> None:
    stack = a_stack(tmp_path, extra={"CO_ZONE": "Nowhere/Land"})
    with pytest.raises(StackFailed, match=r"registry ended with code 1 before it was ready; its log is .*registry.log"):
        await stack.__aenter__()
    assert not any(process.pid for process in stack.processes.values())
    assert "Nowhere/Land" in stack.log_file("registry").read_text()


@pytest.mark.slow
async def test_a_used_port_is_named(tmp_path: Path) -> None:
    async with a_stack(tmp_path / "first") as first:
        second = a_stack(tmp_path / "second", ports=lambda names: first.ports)
        with pytest.raises(StackFailed, match=rf"Another process listens on port .*{first.ports['registry']} \(registry\)"):
            await second.__aenter__()
