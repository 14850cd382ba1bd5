"""The issuing offices of the ministry, from `data/offices.json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.data_files import read_data
from services.registry.identity.domain.user import MINISTRY_ROLES, OfficeUnknown
from shared.dated import effective_from, in_force


@dataclass(frozen=True, kw_only=True)
class IssuingOffice:
    """An office of the ministry. Every officer belongs to one."""

    code: str
    name_en: str
    name_km: str
    headquarters: bool


@dataclass(frozen=True)
class Offices:
    """The offices of the ministry, with the dates from which each list is in force."""

    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def load(cls) -> "Offices":
        """The offices of this release."""
        return cls(read_data("offices.json"))

    def on(self, day: date) -> dict[str, IssuingOffice]:
        """The offices on a day, by code."""
        return {row["code"]: IssuingOffice(**row) for row in in_force(self.rows, day, effective_from)["offices"]}

    def must_know(self, code: str, roles: set[str], on: date) -> None:
        """Raises OfficeUnknown. Viewers of customs belong to offices of customs, of which there is no list."""
        if roles & MINISTRY_ROLES and code not in (offices := self.on(on)):
            raise OfficeUnknown("office", office=code, offices=set(offices))
