"""The particulars of a company, and the requirements of a registration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.refusals import Refused


class LatinNeeded(Refused):
    code = "latin_letters_needed"


class BirthdayInFuture(Refused):
    code = "birthday_in_future"


class DistrictUnknown(Refused):
    code = "district_unknown"


@dataclass(frozen=True, kw_only=True)
class Representative:
    """The person who represents the company before the ministry."""

    name: str
    name_km: str | None
    position: str
    born_on: date | None


@dataclass(frozen=True)
class Particulars:
    """The particulars of a company. The order of the fields is that of the columns."""

    company_name: str
    company_name_km: str | None = None
    address: str = ""
    address_km: str | None = None
    district: str | None = None
    phone: str | None = None
    contact_email: str | None = None
    representative: Representative | None = None

    def must_be_sound(self, on: date, at: str = "") -> None:
        """Raises LatinNeeded or BirthdayInFuture. `at` is the path before the field."""
        for field in ("company_name", "address"):
            if any(ord(letter) > 0x24F for letter in getattr(self, field)):
                raise LatinNeeded(f"{at}{field}")
        if self.representative and self.representative.born_on and self.representative.born_on > on:
            raise BirthdayInFuture(f"{at}representative.born_on")

    def lacks(self, required: frozenset[str]) -> list[str]:
        """The required particulars that are missing."""
        return sorted(name for name in required if not getattr(self, name))


@dataclass(frozen=True)
class Requirements:
    """The particulars and documents that an approval needs, and how early a company may apply for another year."""

    particulars: frozenset[str]
    documents: frozenset[str]
    renewable_days_before: int

    def lacks(self, particulars: Particulars, documents: Mapping[str, str]) -> list[str]:
        """The particulars and documents that are missing."""
        return [*particulars.lacks(self.particulars), *sorted(self.documents - documents.keys())]
