"""How long certificates stay in each status."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_low

from services.certificates.domain.life_cycle import Status


@dataclass(frozen=True, kw_only=True)
class StatusTime:
    """The median seconds in a status, of `count` certificates. `destination`: None for all destinations together."""

    status: Status
    destination: str | None
    count: int
    median_seconds: int


def medians(status: Status, times: Iterable[tuple[str, int]]) -> list[StatusTime]:
    """The medians of a status: of all destinations, then of each. `times`: pairs of destination and seconds."""
    by_destination: dict[str | None, list[int]] = defaultdict(list)
    for destination, seconds in times:
        by_destination[None].append(seconds)
        by_destination[destination].append(seconds)
    ordered = sorted(by_destination.items(), key=lambda each: each[0] or "")
    return [
        StatusTime(status=status, destination=destination, count=len(each), median_seconds=median_low(each))
        for destination, each in ordered
    ]
