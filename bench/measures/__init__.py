"""The measures of the bench. Each module has `FIGURES`, the names of its figures, and `measure`."""

from importlib import import_module
from typing import Protocol, cast

from bench.figures import Conditions, Figure

NAMES: tuple[str, ...] = (
    "requests",
    "event_path",
    "event_path_postgresql",
    "lives",
    "public_page",
    "stored",
    "processes",
    "sign_in",
    "exchange",
    "catch_up",
    "replicas",
)
"""The measures, in the order in which they run."""


class Measure(Protocol):
    """A module that measures."""

    FIGURES: tuple[str, ...]

    async def measure(self, conditions: Conditions) -> list[Figure]:
        """Measures the product and its floor. Raises LeftOut if this machine cannot run it."""


def measures(only: frozenset[str]) -> dict[str, Measure]:
    """The measures that are named, or that have a figure that is named; all by default. Raises ValueError for others."""
    every = {name: cast(Measure, import_module(f"bench.measures.{name}")) for name in NAMES}
    known = {*every, *(figure for each in every.values() for figure in each.FIGURES)}
    if unknown := sorted(only - known):
        raise ValueError(f"there is no measure {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return {name: each for name, each in every.items() if not only or only & {name, *each.FIGURES}}
