"""Requests pages over HTTP/1.1 with connections that stay open, in a process of its own: `python -m bench.http_load JSON`.

It prints a line of JSON. With `rate` each request has a time, and its delay counts from there, also if it was sent later.
The requests come from many addresses, as behind a proxy: each has another one in X-Forwarded-For.
"""

import asyncio
import gc
import json
import sys
from asyncio.subprocess import PIPE
from collections import Counter, deque
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

ADDRESSES = 4096
"""How many addresses the requests come from."""


@dataclass
class Loaded:
    """What one load has measured. `size`: bytes of the body of one answer. `p50`, `p99`: percentiles of the delays, in ms."""

    seconds: float
    pages: int
    failed: dict[str, int]
    size: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Pages in a second."""
        return self.pages / self.seconds


@dataclass
class Load:
    """One load in progress."""

    requests: list[bytes]
    ends: float
    sent: int = 0
    size: int = 0
    delays: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)

    def next(self) -> bytes:
        """The next request."""
        self.sent += 1
        return self.requests[self.sent % len(self.requests)]


class Connection(asyncio.Protocol):
    """One connection. It sends a request after each answer, or when `send` is called."""

    def __init__(self, load: Load, *, at_once: bool) -> None:
        self._load, self._at_once = load, at_once
        self._waiting: deque[float] = deque()
        self._received, self._wanted = b"", -1
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if self._at_once:
            self.send(perf_counter())

    def send(self, wanted_at: float) -> None:
        """Sends the next request. `wanted_at`: when it should be sent."""
        self._waiting.append(wanted_at)
        if len(self._waiting) == 1:
            self._transport.write(self._load.next())

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._wanted < 0:
            head, found, _ = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            self._wanted = len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if not head.startswith(b"HTTP/1.1 200"):
                self._load.failed[head[9:12].decode()] += 1
            self._load.size = self._wanted - len(head) - 4
        if len(self._received) >= self._wanted:
            self._received, self._wanted = b"", -1
            now = perf_counter()
            self._load.delays.append(now - self._waiting.popleft())
            if self._at_once and now < self._load.ends:
                self.send(now)
            elif self._waiting:
                self._transport.write(self._load.next())
            elif now >= self._load.ends:
                self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting:
            self._load.failed[type(error).__name__ if error else "closed"] += 1
        if not self.closed.done():
            self.closed.set_result(None)


async def load(port: int, paths: list[str], seconds: float, connections: int, rate: float | None) -> Loaded:
    """Requests the paths in turn. `rate`: requests a second; None: each connection sends the next one after each answer."""
    requests = [_request(path, number) for number, path in enumerate(_many(paths))]
    loop, began = asyncio.get_running_loop(), perf_counter()
    running = Load(requests, began + seconds)
    opened = [
        (await loop.create_connection(lambda: Connection(running, at_once=rate is None), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    gc.freeze()
    if rate is not None:
        await _send_at(rate, opened, running)
    _, late = await asyncio.wait([each.closed for each in opened], timeout=seconds + 10)
    if late:
        running.failed["no answer"] += len(late)
    took = perf_counter() - began
    delays = sorted(running.delays) or [0.0]
    return Loaded(
        round(took, 3),
        len(running.delays) - sum(count for reason, count in running.failed.items() if reason.isdigit()),
        dict(running.failed),
        running.size,
        *(round(1000 * delays[int(len(delays) * part)], 3) for part in (0.5, 0.99)),
    )


async def _send_at(rate: float, opened: list[Connection], running: Load) -> None:
    """Sends each request at its time, on the connections in turn."""
    began, number = perf_counter(), 0
    while (wanted_at := began + number / rate) < running.ends:
        if (early := wanted_at - perf_counter()) > 0:
            await asyncio.sleep(early)
        opened[number % len(opened)].send(wanted_at)
        number += 1
    for each in opened:
        if not each._waiting:
            each._transport.close()


def _many(paths: list[str]) -> list[str]:
    """The paths, repeated until there are as many as addresses."""
    return (paths * (ADDRESSES // len(paths) + 1))[: max(ADDRESSES, len(paths))]


def _request(path: str, number: int) -> bytes:
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    head = f"GET {path} HTTP/1.1\r\nhost: co.example\r\nx-forwarded-for: {address}\r\n"
    return f"{head}accept: text/html\r\naccept-language: en\r\n\r\n".encode()


async def load_in_process(
    port: int, paths: list[str], seconds: float, *, connections: int = 8, rate: float | None = None
) -> Loaded:
    """The same, in a process of its own. Raises OSError if that fails."""
    given = {"port": port, "paths": paths, "seconds": seconds, "connections": connections, "rate": rate}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.http_load", stdin=PIPE, stdout=PIPE)
    try:
        output, _ = await process.communicate(json.dumps(given).encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise OSError(f"the load on port {port} has failed with code {process.returncode}")
    return Loaded(**json.loads(output))


if __name__ == "__main__":
    print(json.dumps(vars(asyncio.run(load(**json.load(sys.stdin))))))
