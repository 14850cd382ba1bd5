"""How the cost of requests, pages, lists and tasks grows with the certificates that are stored.

The handlers run in this process without a bus, on SQLite: so the noise is small, and the processor time is only theirs.
`BENCH_STORED=1000,10000` sets other numbers of certificates.
"""

import asyncio
import gc
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from statistics import median
from time import perf_counter, process_time

from bench.figures import Conditions, Figure, LeftOut
from bench.filled import SAMPLE, Filled, filled, lives_in
from bench.filler import must_have_room
from bench.stored_requests import Call, auditing, hot, lists, operating, tasks
from shared.observability.tracing import start_tracing

FIGURES = ("stored_million",)

STORED = (1_000, 100_000, 1_000_000)
STORED_QUICK = (100, 1_000)
ENOUGH = 0.3
"""Seconds for which a call is repeated in each round, at least `FEWEST` times."""
FEWEST, MOST = 2, 400
EVERY = 0.002
"""Seconds between two looks whether the event loop still runs."""


@dataclass
class Cost:
    """What one call costs: milliseconds of the processor and of time, and the longest time for which nothing else ran."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    blocked: float = 0.0

    def as_json(self) -> dict[str, float]:
        """The medians."""
        return {"cpu_ms": _short(median(self.cpu)), "wall_ms": _short(median(self.wall)), "blocked_ms": _short(self.blocked)}


async def measure(conditions: Conditions) -> list[Figure]:
    """The worst ratio of the most to the fewest stored, of a question, a command and a public page. All others are details."""
    sizes = tuple(map(int, os.environ.get("BENCH_STORED", "").split(","))) if os.environ.get("BENCH_STORED") else STORED
    sizes = STORED_QUICK if conditions.quick else sizes
    if len(sizes) < 2:
        raise LeftOut("BENCH_STORED must name two numbers of certificates or more")
    must_have_room(conditions.folder, sum(sizes))
    start_tracing("bench", "KH", None)
    (conditions.folder / "lives").mkdir()
    lives, now = await lives_in(conditions.folder / "lives")
    costs: defaultdict[str, dict[int, Cost]] = defaultdict(lambda: {size: Cost() for size in sizes})
    async with AsyncExitStack() as stack:
        places = [await stack.enter_async_context(filled(conditions.folder / str(size), size, lives, now)) for size in sizes]
        gc.freeze()  # what is loaded is not looked at again, so a collection is short
        try:
            await _run(places, costs, conditions)
        finally:
            gc.unfreeze()
    first, last = sizes[0], sizes[-1]
    growth = {name: median(of[last].cpu) / median(of[first].cpu) for name, of in costs.items()}
    worst = max(growth[name] for name in ("question", "command", "public_page"))
    details = {
        name: {"times": _short(growth[name])} | {f"{size:,}": of[size].as_json() for size in sizes}
        for name, of in costs.items()
    }
    return [Figure("stored_million", f"times from {first:,} to {last:,}", worst, 1.0, details)]


async def _run(places: list[Filled], costs: dict[str, dict[int, Cost]], conditions: Conditions) -> None:
    """Measures all numbers of certificates in turn, call by call. The digests of `co audit` take long: once is enough."""
    every = [{place.count: group(place) for place in places} for group in (hot, lists, operating, tasks)]
    audit = {place.count: auditing(place) for place in places}
    numbers = count()
    usual = Often(conditions.at_most(FEWEST, 1), 0.01 if conditions.quick else ENOUGH)
    await _in_turn(every[0], places, costs, numbers, replace(usual, first=SAMPLE))  # more companies have more tokens
    for calls in (*every[1:], *every * (conditions.rounds - 1)):
        await _in_turn(calls, places, costs, numbers, usual)
    await _in_turn(audit, places, costs, numbers, Often(1, 0.0, first=0))


async def _in_turn(
    calls: dict[int, dict[str, Call]],
    places: list[Filled],
    costs: dict[str, dict[int, Cost]],
    numbers: Iterator[int],
    often: "Often",
) -> None:
    for name in next(iter(calls.values())):
        for place in places:
            await _measure(calls[place.count][name], costs[name][place.count], numbers, often)


@dataclass(frozen=True)
class Often:
    """How often a call is done in each round: for `seconds`, at least `fewest` times.

    `first`: how often it is done before the first round.
    """

    fewest: int
    seconds: float
    first: int = 1


async def _measure(call: Call, cost: Cost, numbers: Iterator[int], often: Often) -> None:
    for _ in range(0 if cost.cpu else often.first):
        await call(next(numbers))  # statements are compiled, tokens are made and verified, pages of the file are read
    gc.collect()
    watch = Watch()
    began, began_cpu, times = perf_counter(), process_time(), 0
    while times < often.fewest or (times < MOST and perf_counter() - began < often.seconds):
        await call(next(numbers))
        times += 1
    cost.cpu.append(1000 * (process_time() - began_cpu) / times)
    cost.wall.append(1000 * (perf_counter() - began) / times)
    cost.blocked = max(cost.blocked, await watch.end())


class Watch:
    """Looks often whether the event loop still runs."""

    def __init__(self) -> None:
        self._last, self._longest = perf_counter(), 0.0
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self._note()

    def _note(self) -> None:
        now = perf_counter()
        self._longest, self._last = max(self._longest, now - self._last - EVERY), now

    async def end(self) -> float:
        """The milliseconds of the longest time for which it did not run."""
        self._note()
        self._looking.cancel()
        await asyncio.wait({self._looking})
        return 1000 * self._longest


def _short(value: float) -> float:
    return float(f"{value:.3g}")
