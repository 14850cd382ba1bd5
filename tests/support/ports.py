"""Ports for tests. Each process has its own range, so tests that run at the same time never choose the same port."""

import fcntl
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import IO

from deploy.embedded.layout import is_free

FIRST, SIZE, RANGES = 10_000, 200, 50
"""Below 20,000, where `co up --any-ports` chooses, and below the ports of outgoing connections."""

_locks: list[IO[str]] = []


@cache
def _range() -> Iterator[int]:
    """The first range that no other process has locked, cyclically. The lock ends with this process."""
    folder = Path(tempfile.gettempdir()) / "co-test-ports"
    folder.mkdir(exist_ok=True)
    for number in range(RANGES):
        lock = (folder / str(number)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _locks.append(lock)
        first = FIRST + number * SIZE
        return cycle(range(first, first + SIZE))
    raise RuntimeError(f"all {RANGES} ranges of ports are in use")


def free_port() -> int:
    """A free port. A port is repeated only after all others of the range."""
    return next(port for port in _range() if is_free(port))


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A free port for each name."""
    return {name: free_port() for name in names}
