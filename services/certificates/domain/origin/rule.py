"""An origin rule: alternatives, each of which demands one or more criteria."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.certificates.domain.origin.exact import plain
from shared.refusals import Refused

DIGITS = {"CC": 2, "CTH": 4, "CTSH": 6}
"""The digits of the HS code that each change of tariff classification compares (ATIGA Art. 28)."""
UNITS = {"chapter": 2, "heading": 4, "subheading": 6}
CRITERIA = ("WO", "PE", "RVC", *DIGITS, "SP")


class RuleCriterionUnknown(Refused):
    code = "origin_criterion_unknown"


@dataclass(frozen=True)
class Excepted:
    """HS codes from which a change does not count: a chapter, a heading, a subheading, or a range of them."""

    first: str
    last: str

    def includes(self, hs: str) -> bool:
        """Whether a material's HS code is excepted."""
        return self.first <= hs[: len(self.first)] <= self.last

    def __str__(self) -> str:
        unit = next(unit for unit, digits in UNITS.items() if digits == len(self.first))
        return f"{unit} {self.first}" if self.first == self.last else f"{unit}s {self.first} to {self.last}"


@dataclass(frozen=True)
class Requirement:
    """One criterion of a rule. `percent`: the least regional value content. `excepted`: from where a change does not count."""

    kind: str
    percent: Decimal | None = None
    excepted: tuple[Excepted, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether it demands a change of tariff classification."""
        return self.kind in DIGITS

    def __str__(self) -> str:
        if self.percent is not None:
            return f"{self.kind}({plain(self.percent)})"
        return f"{self.kind} except from {', '.join(map(str, self.excepted))}" if self.excepted else self.kind


@dataclass(frozen=True)
class Alternative:
    """The criteria that goods must meet together."""

    requirements: tuple[Requirement, ...]

    def __str__(self) -> str:
        return " + ".join(map(str, self.requirements))


@dataclass(frozen=True)
class Rule:
    """Alternatives. The goods originate if they meet one of them; the exporter chooses."""

    alternatives: tuple[Alternative, ...]

    def must_use_only(self, criteria: Iterable[str], form: str, field: str) -> None:
        """Refuses a criterion that the form does not have. Raises RuleCriterionUnknown."""
        used = {each.kind for alternative in self.alternatives for each in alternative.requirements}
        if used - set(criteria):
            raise RuleCriterionUnknown(field, form=form, criteria=set(criteria))

    def __str__(self) -> str:
        return " or ".join(map(str, self.alternatives))


WHOLLY_OBTAINED = Alternative((Requirement("WO"),))
PRODUCED_EXCLUSIVELY = Alternative((Requirement("PE"),))
"""Goods may always claim these, if their form has the criterion."""
