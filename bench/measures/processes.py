"""What each process of a service costs when nobody uses it: seconds until it is ready, memory, and the share of a core.

The whole system of one country runs, without partners. The floor is a process that has only connected to the bus and opened
a SQLite file. Both are idle in the same seconds. The figures are those of the worst service; the details have each.
"""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

import httpx

from bench.cpu import groups_of
from bench.figures import Conditions, Figure, LeftOut
from bench.processes import a_floor
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack
from shared.contracts.index import SERVICES

FIGURES = ("start", "memory", "idle")

FLOOR = "floor"
USER = "portal"
QUICK = ("tracking",)
IDLE, SETTLE = 20, 5
"""Seconds for which all processes are idle, and seconds before, in which they finish their start."""
POLL = 0.01
LIMIT = 60.0


async def measure(conditions: Conditions) -> list[Figure]:
    """The three figures, with the median of the rounds for each service."""
    _must_know_times()
    started: defaultdict[str, list[float]] = defaultdict(list)
    idle: defaultdict[str, list[float]] = defaultdict(list)
    memory: defaultdict[str, list[float]] = defaultdict(list)
    services = QUICK if conditions.quick else SERVICES
    async with AsyncExitStack() as running:
        system = Stack(conditions.folder / "system", partners=(), services=services, ports=free_ports)
        stack = await running.enter_async_context(system)
        http = await running.enter_async_context(httpx.AsyncClient(verify=False, trust_env=False, timeout=5))
        given = _given(stack, conditions.folder / "floor.db")
        for _ in range(conditions.rounds):
            async with AsyncExitStack() as floor:
                began = monotonic()
                pid = await floor.enter_async_context(a_floor("idle", given))
                started[FLOOR].append(monotonic() - began)
                for service in services:
                    started[service].append(await _started(stack, service, http))
                await asyncio.sleep(conditions.at_most(SETTLE, 1))
                groups = {name: group for name, group in groups_of(stack).items() if name in services} | {FLOOR: pid}
                seconds = conditions.at_most(IDLE, 2)
                before = {name: _busy(group) for name, group in groups.items()}
                await asyncio.sleep(seconds)
                for name, group in groups.items():
                    idle[name].append(100 * (_busy(group) - before[name]) / seconds)
                    memory[name].append(_megabytes(group))
    found = (("start", "s", started), ("memory", "MB", memory), ("idle", "% of a core", idle))
    return [_figure(name, unit, values) for name, unit, values in found]


def _must_know_times() -> None:
    if not Path("/proc/self/schedstat").exists():
        raise LeftOut("the system does not say how long processes have run: there is no /proc/PID/schedstat")


def _figure(name: str, unit: str, values: dict[str, list[float]]) -> Figure:
    each = {of: round(median(some), 2) for of, some in values.items()}
    floor = each.pop(FLOOR)
    return Figure(name, unit, max(each.values()), floor, each)


def _given(stack: Stack, file: Path) -> dict[str, Any]:
    """What the floor needs: it connects as the portal does."""
    seed = stack.secrets.seed(stack.country, USER)
    return {"url": stack.nats_url, "seed_file": str(seed), "user": USER, "file": str(file)}


async def _started(stack: Stack, service: str, http: httpx.AsyncClient) -> float:
    """Stops a service and starts it: the seconds until it is ready. Raises OSError."""
    await stack.stop(service)
    address, began = f"{stack.address(service)}/ready", monotonic()
    await stack.processes[service].start()
    while monotonic() - began < LIMIT:
        try:
            if (await http.get(address)).is_success:
                return monotonic() - began
        except httpx.TransportError:
            pass
        await asyncio.sleep(POLL)
    raise OSError(f"{service} was not ready within {LIMIT:.0f} s")


def _processes(group: int) -> list[Path]:
    """The processes of a group, with its children. A floor has only itself."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(file.read_text().rpartition(")")[2].split()[2]) == group or file.parent.name == str(group):
                found.append(file.parent)
        except OSError:
            continue  # it has ended
    return found


def _busy(group: int) -> float:
    """The seconds for which the threads of a group have run, in nanoseconds of the scheduler."""
    total = 0
    for process in _processes(group):
        for file in process.glob("task/*/schedstat"):
            total += int(file.read_text().split()[0])
    return total / 1e9


def _megabytes(group: int) -> float:
    """The memory of a group that is in the machine (RSS). Pages that its processes share count for each."""
    lines = [line for process in _processes(group) for line in (process / "status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
