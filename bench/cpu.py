"""The processor time of processes, from /proc (Linux only)."""

import os
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.embedded.stack import Stack

TICKS = os.sysconf("SC_CLK_TCK")


def groups_of(stack: Stack) -> dict[str, int]:
    """The process group of each running process of a stack, by name."""
    return {name: process.pid for name, process in stack.processes.items() if process.pid}


def cpu_of_groups(groups: Mapping[str, int]) -> dict[str, float]:
    """The seconds of processor that each process group has used since its start, children included."""
    names = {group: name for name, group in groups.items()}
    used = dict.fromkeys(groups, 0.0)
    for _, _, group, seconds in _processes():
        if name := names.get(group):
            used[name] += seconds
    return used


def cpu_of_family(parent: int) -> float:
    """The seconds of processor that a process and its children have used since its start."""
    return sum(seconds for process, its_parent, _, seconds in _processes() if parent in (process, its_parent))


def _processes() -> Iterator[tuple[int, int, int, float]]:
    """Each process: its id, its parent, its group and its seconds of processor, with those of its children that have ended."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        yield int(file.parent.name), int(fields[1]), int(fields[2]), sum(map(int, fields[11:15])) / TICKS


def cpu_of_this_program() -> float:
    """The seconds of processor that this program has used."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    return mine.ru_utime + mine.ru_stime


def cpu_of_machine() -> float:
    """The seconds of processor that all programs of this machine have used since its start."""
    parts = [int(part) for part in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(parts) - parts[3] - parts[4]) / TICKS
