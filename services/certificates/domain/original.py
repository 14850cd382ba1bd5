"""Originals of back-to-back certificates and what remains of their quantities (ATIGA Annex 8, Rule 11).

Quantities are whole millionths of a unit, so that a database adds them exactly.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.clock import a_year_from
from shared.refusals import Refused

MILLION = 1_000_000
MOST = 10**18
"""The largest quantity that an original can have, in millionths."""


class OriginalNotFound(Refused):
    code = "original_not_found"


class OriginalNotUsable(Refused):
    code = "original_not_usable"


class OriginalExpired(Refused):
    code = "original_expired"


class OriginalCircular(Refused):
    code = "original_circular"


class OriginalLineUnknown(Refused):
    code = "original_line_unknown"


class OriginalLineDenied(Refused):
    code = "original_line_denied"


class OriginalUnitDiffers(Refused):
    code = "original_unit_differs"


class OriginalExceeded(Refused):
    code = "original_exceeded"


class OriginalReceivedAlready(Refused):
    code = "original_received_already"


class OriginalInUse(Refused):
    code = "original_in_use"


class OriginalDatesWrong(Refused):
    code = "original_dates_wrong"


class OriginalLineTwice(Refused):
    code = "original_line_twice"


def id_of(country: str, reference: str) -> UUID:
    """The id of an original. The same certificate, entered or received, has the same one."""
    return uuid5(NAMESPACE_URL, f"original/{country}/{reference}")


def in_millionths(quantity: Decimal) -> int:
    """A quantity as a whole number. Further digits are dropped, so that never more is taken than there is."""
    return min(int((min(quantity, Decimal(MOST)) * MILLION).to_integral_value(ROUND_DOWN)), MOST)


def as_quantity(millionths: int) -> Decimal:
    """A whole number of millionths as a quantity, without zeros at its end."""
    whole, part = divmod(millionths, MILLION)
    return Decimal(f"{whole}.{part:06}".rstrip("0").rstrip(".") if part else whole)


@dataclass(frozen=True, kw_only=True)
class OriginalLine:
    """The line of an original that covers an item of a certificate."""

    country: str
    reference: str
    issued_on: date
    line: int

    @property
    def original_id(self) -> UUID:
        """The id of the original."""
        return id_of(self.country, self.reference)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One item of an original. `quantity`, `taken`: in millionths."""

    number: int
    hs_code: str
    description: str
    quantity: int
    unit: str
    taken: int = 0
    denied: bool = False

    @property
    def remaining(self) -> int:
        """What no certificate has taken. A later version of the original can have less than was taken already."""
        return max(0, self.quantity - self.taken)


@dataclass(frozen=True, kw_only=True)
class Use:
    """What an item of a certificate takes from a line. `item`: its number, from 1; `quantity`: in millionths.

    `borrowed`: the part of it that the replaced certificate still holds. It is taken at the issue, when that one ends.
    """

    certificate_id: UUID
    item: int
    original_id: UUID
    line: int
    quantity: int
    unit: str
    borrowed: int = 0
    final: bool = False

    @property
    def own(self) -> int:
        """What the certificate itself has taken of the line."""
        return self.quantity - self.borrowed


def borrowing(uses: Iterable[Use], former: Iterable[Use]) -> list[Use]:
    """The uses of a certificate that replaces another one. They borrow what that one holds of the same lines."""
    held = Counter[tuple[UUID, int]]()
    for use in former:
        held[use.original_id, use.line] += use.own
    found = []
    for use in uses:
        lent = min(use.quantity, held[use.original_id, use.line])
        held[use.original_id, use.line] -= lent
        found.append(replace(use, borrowed=lent))
    return found


@dataclass(frozen=True, kw_only=True)
class Original:
    """A certificate of another member. `based_on`: the countries of its own originals. `on_paper`: an officer entered it."""

    original_id: UUID
    country: str
    reference: str
    issued_on: date
    valid_until: date
    consignee: str
    usable: bool = True
    on_paper: bool = False
    based_on: Sequence[str] = field(default_factory=list)
    version: int
    lines: Mapping[int, Line] = field(default_factory=dict)

    def must_be_valid(self, on: date, name: str) -> None:
        """Refuses an original that has expired, was cancelled or denied. Raises OriginalNotUsable, OriginalExpired."""
        if not self.usable:
            raise OriginalNotUsable(name)
        if on > self.valid_until:
            raise OriginalExpired(name)

    def must_not_return_to(self, countries: Iterable[str], name: str) -> None:
        """Refuses goods that come back to a country that has certified them before. Raises OriginalCircular."""
        if again := {self.country, *self.based_on} & set(countries):
            raise OriginalCircular(name, country=again)

    def line_for(self, number: int, unit: str, name: str) -> Line:
        """The line that covers an item with a unit. `name`: the field of the item.

        Raises OriginalLineUnknown, OriginalLineDenied, OriginalUnitDiffers.
        """
        line = self.lines.get(number)
        if line is None:
            raise OriginalLineUnknown(f"{name}.original.line", reference=self.reference, line=number)
        if line.denied:
            raise OriginalLineDenied(f"{name}.original.line", reference=self.reference, line=number)
        if line.unit != unit:
            raise OriginalUnitDiffers(f"{name}.unit", unit=line.unit, given=unit)
        return line


def must_be_possible(issued_on: date, valid_until: date, today: date) -> None:
    """Refuses the dates of an original that no member issues. Raises OriginalDatesWrong."""
    if issued_on > today:
        raise OriginalDatesWrong("issued_on")
    if not issued_on <= valid_until <= a_year_from(issued_on):
        raise OriginalDatesWrong("valid_until")


def must_be_distinct(numbers: Iterable[int]) -> None:
    """Refuses two lines with the same number. Raises OriginalLineTwice."""
    seen: set[int] = set()
    for position, number in enumerate(numbers):
        if number in seen:
            raise OriginalLineTwice(f"lines.{position}.number", line=number)
        seen.add(number)


def valid_until(last: date, originals: Iterable[Original]) -> date:
    """The last day of a certificate: that of its form, or the earliest of its originals (Rules 11 and 14)."""
    return min([last, *(each.valid_until for each in originals)])
