"""Figures of the bench: each has the product's value and the value of a floor that was measured in the same run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


class LeftOut(Exception):
    """A measure that this machine cannot run. Its message says why."""


@dataclass(frozen=True)
class Conditions:
    """What a run may use. `quick`: the smallest run that exercises everything; its figures mean nothing.

    `folder`: a new folder for databases and the bus. `rounds`: how often each side is measured in turn; the median counts.
    """

    folder: Path
    quick: bool = False
    rounds: int = 3

    def at_most(self, usual: int, quick: int) -> int:
        """`usual`, or `quick` in a quick run."""
        return quick if self.quick else usual


@dataclass(frozen=True)
class Figure:
    """One line of the table. `floor` is None where no floor makes sense. `details`: further values by name."""

    name: str
    unit: str
    product: float
    floor: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The product divided by its floor. For costs less is better, for rates more."""
        return self.product / self.floor if self.floor else None

    def as_json(self) -> dict[str, Any]:
        """The figure as `--json` writes it."""
        ratio = None if self.ratio is None else round(self.ratio, 3)
        floor = None if self.floor is None else _rounded(self.floor)
        line = {"name": self.name, "unit": self.unit, "product": _rounded(self.product), "floor": floor, "ratio": ratio}
        return line | ({"details": self.details} if self.details else {})


def middle(name: str, unit: str, pairs: Sequence[tuple[float, float]], **details: Any) -> Figure:
    """The figure of several rounds of (product, floor): the median of each side."""
    product, floor = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    return Figure(name, unit, product, floor, details)


def table(figures: Iterable[Figure]) -> str:
    """The figures as a table of Markdown."""
    lines = ["| figure | unit | product | floor | ratio |", "|---|---|---:|---:|---:|"]
    for each in figures:
        floor = "" if each.floor is None else f"{_rounded(each.floor):,}"
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        lines.append(f"| {each.name} | {each.unit} | {_rounded(each.product):,} | {floor} | {ratio} |")
    return "\n".join(lines)


def _rounded(value: float) -> float:
    """Three significant digits, and whole numbers above 100."""
    return round(value) if abs(value) >= 100 else float(f"{value:.3g}")
