"""What a law or the ministry can change: places, offices, what a registration needs, reminders,
letters, how long mandates last."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from services.registry.domain.particulars import DistrictUnknown, Particulars, Requirements
from services.registry.domain.reminders import Schedule
from services.registry.domain.user import MINISTRY_ROLES, OfficeUnknown
from shared.dated import effective_from, in_force

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class District:
    """A district, municipality or khan, and the province or capital it lies in."""

    code: str
    kind: str
    name_en: str
    name_km: str
    province_en: str
    province_km: str


@dataclass(frozen=True)
class IssuingOffice:
    """An office of the ministry; every officer belongs to one."""

    code: str
    name_en: str
    name_km: str
    headquarters: bool


@dataclass(frozen=True)
class Words:
    """The words of letters, in both languages."""

    months_km: Sequence[str]
    ends: Mapping[str, str]
    over: Mapping[str, str]
    what_to_do: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Catalogue:
    """The data files of this release."""

    districts: Mapping[str, District]
    words: Words
    _offices: Sequence[dict[str, Any]]
    _requirements: Sequence[dict[str, Any]]
    _reminders: Sequence[dict[str, Any]]
    _mandates: Sequence[dict[str, Any]]

    @classmethod
    def load(cls) -> "Catalogue":
        """Reads them."""
        places = _read("places.json")
        districts = {
            district["code"]: District(**district, province_en=province["name_en"], province_km=province["name_km"])
            for province in places["provinces"]
            for district in province["districts"]
        }
        letters = _read("letters.json")
        words = Words(letters["months_km"], letters["ends"], letters["over"], letters["what_to_do"])
        dated = map(_read, ("offices.json", "requirements.json", "reminders.json", "mandates.json"))
        return cls(districts, words, *dated)

    def must_know(self, particulars: Particulars, field: str = "district") -> None:
        """Raises DistrictUnknown."""
        if particulars.district is not None and particulars.district not in self.districts:
            raise DistrictUnknown(field, district=particulars.district)

    def address_of(self, particulars: Particulars) -> str:
        """The whole address in English on one line, as it is printed on certificates."""
        district = self.districts.get(particulars.district or "")
        place = [f"{district.kind} {district.name_en}", district.province_en] if district else []
        return ", ".join([particulars.address, *place])

    def must_know_office(self, code: str, roles: set[str], on: date) -> None:
        """Raises OfficeUnknown; viewers of customs belong to an office of customs, of which there is no list."""
        if roles & MINISTRY_ROLES and code not in (offices := self.offices(on)):
            raise OfficeUnknown("office", office=code, offices=set(offices))

    def offices(self, on: date) -> dict[str, IssuingOffice]:
        """The issuing offices that there are on a day, by their codes."""
        return {row["code"]: IssuingOffice(**row) for row in _in_force(self._offices, on)["offices"]}

    def requirements(self, on: date) -> Requirements:
        """What a registration needs on a day."""
        row = _in_force(self._requirements, on)
        return Requirements(frozenset(row["particulars"]), frozenset(row["documents"]), row["renewable_days_before"])

    def schedule(self, on: date) -> Schedule:
        """When reminders go out, for a registration approved on a day."""
        row = _in_force(self._reminders, on)
        return Schedule(tuple(row["days_before"]), row["at_hour"])

    def longest_mandate(self, on: date) -> int:
        """For how many days ahead a mandate may be given that is proposed on a day."""
        return int(_in_force(self._mandates, on)["longest_days"])


def _read(name: str) -> Any:
    return json.loads((DATA / name).read_text())


def _in_force(rows: Sequence[dict[str, Any]], on: date) -> dict[str, Any]:
    return in_force(rows, on, effective_from)
