"""What the ministry can change: how long mandates last, from `data/mandates.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.data_files import read_data
from shared.dated import effective_from, in_force


@dataclass(frozen=True)
class MandateLimits:
    """The limits of mandates, with the dates from which they are in force."""

    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def load(cls) -> "MandateLimits":
        """The limits of this release."""
        return cls(read_data("mandates.json"))

    def longest_days(self, on: date) -> int:
        """The longest duration, in days, of a mandate that is proposed on a day."""
        return int(in_force(self.rows, on, effective_from)["longest_days"])
