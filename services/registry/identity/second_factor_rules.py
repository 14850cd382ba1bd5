"""What the ministry can change: who must have a second factor, from `data/second_factor.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.data_files import read_data
from services.registry.identity.domain.user import User
from shared.dated import effective_from, in_force


@dataclass(frozen=True)
class SecondFactorRules:
    """The rules, with the dates from which they are in force."""

    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def load(cls) -> "SecondFactorRules":
        """The rules of this release."""
        return cls(read_data("second_factor.json"))

    def demand_of(self, user: User, on: date) -> bool:
        """Whether this person must have a second factor on a day."""
        return user.must_have_second_factor(signatories=bool(in_force(self.rows, on, effective_from)["signatories"]))
