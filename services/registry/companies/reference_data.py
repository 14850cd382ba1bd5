"""What a law or the ministry can change: districts, requirements of a registration, and days of reminders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.registry.companies.domain.particulars import DistrictUnknown, Particulars, Requirements
from services.registry.companies.domain.reminders import Schedule
from services.registry.data_files import read_data
from shared.dated import effective_from, in_force


@dataclass(frozen=True, kw_only=True)
class District:
    """A district, municipality or khan, and its province or capital."""

    code: str
    kind: str
    name_en: str
    name_km: str
    province_en: str
    province_km: str


@dataclass(frozen=True)
class ReferenceData:
    """The data files of this release."""

    districts: Mapping[str, District]
    requirement_rows: Sequence[Mapping[str, Any]]
    reminder_rows: Sequence[Mapping[str, Any]]

    @classmethod
    def load(cls) -> "ReferenceData":
        """Reads the data files."""
        districts = {
            district["code"]: District(**district, province_en=province["name_en"], province_km=province["name_km"])
            for province in read_data("places.json")["provinces"]
            for district in province["districts"]
        }
        return cls(districts, read_data("requirements.json"), read_data("reminders.json"))

    def district_of(self, particulars: Particulars) -> District | None:
        """The district that a company has named, or None."""
        return self.districts.get(particulars.district or "")

    def must_know(self, particulars: Particulars, field: str = "district") -> None:
        """Raises DistrictUnknown."""
        if particulars.district is not None and particulars.district not in self.districts:
            raise DistrictUnknown(field, district=particulars.district)

    def address_of(self, particulars: Particulars) -> str:
        """The whole address in English on one line, as certificates show it."""
        district = self.district_of(particulars)
        place = [f"{district.kind} {district.name_en}", district.province_en] if district else []
        return ", ".join([particulars.address, *place])

    def requirements(self, on: date) -> Requirements:
        """The requirements of a registration on a day."""
        row = in_force(self.requirement_rows, on, effective_from)
        return Requirements(frozenset(row["particulars"]), frozenset(row["documents"]), row["renewable_days_before"])

    def schedule(self, on: date) -> Schedule:
        """The days of the reminders for a registration that is approved on a day."""
        row = in_force(self.reminder_rows, on, effective_from)
        return Schedule(tuple(row["days_before"]), row["at_hour"])
