"""The origin rules of an agreement as one state applies them, valid from a day on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from services.certificates.domain.origin.rule import Rule
from shared.refusals import Refused


class OriginRulesNotInForce(Refused):
    code = "origin_rules_not_in_force"


class RvcMethod(StrEnum):
    """How a state computes the regional value content (ATIGA Art. 29). It uses one method."""

    DIRECT = "direct"
    INDIRECT = "indirect"


@dataclass(frozen=True)
class ProcessRule:
    """Processes that make goods originate (criterion SP): all of one of the sets. `text`: what they are, in each language."""

    name: str
    any_of: tuple[frozenset[str], ...]
    text: Mapping[str, str] = field(default_factory=dict)

    def met_by(self, processes: frozenset[str]) -> frozenset[str] | None:
        """The first complete set among the processes, or None."""
        return next((wanted for wanted in self.any_of if wanted <= processes), None)

    def missing(self, processes: frozenset[str]) -> tuple[tuple[str, ...], ...]:
        """What is missing of the sets that are nearest to the processes."""
        lacking = [wanted - processes for wanted in self.any_of]
        fewest = min(map(len, lacking))
        return tuple(dict.fromkeys(tuple(sorted(each)) for each in lacking if len(each) == fewest))


@dataclass(frozen=True, kw_only=True)
class RuleLine:
    """The rule for some HS codes, with its article. `part_of_subheading`: the treaty names only a part of these goods."""

    rule: Rule
    article: str
    process_rules: tuple[ProcessRule, ...] = ()
    part_of_subheading: bool = False


@dataclass(frozen=True)
class DeMinimis:
    """How much of the FOB value may fail the change of tariff classification, in percent (ATIGA Art. 33)."""

    percent: Decimal
    article: str


@dataclass(frozen=True)
class PartialCumulation:
    """The regional value content of goods that count in part as a material (ATIGA Art. 30(2)): `least` <= RVC < `below`."""

    least: Decimal
    below: Decimal
    article: str


@dataclass(frozen=True)
class Check:
    """What an officer examines besides the figures: a question with yes or no."""

    article: str
    text: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """All rules of one form. `complete`: whether the agreement's list of product rules is loaded.

    `country`: the state that applies them. `aliases`: other names of processes. `minimal`: processes that never confer origin.
    `never_enough`: those that do not meet criterion SP by themselves.
    """

    form: str
    agreement: str
    version: str
    valid_from: date
    source: str
    country: str
    members: frozenset[str]
    criteria: frozenset[str]
    method: RvcMethod
    general: RuleLine
    lines: Mapping[str, RuleLine] = field(default_factory=dict)
    complete: bool = False
    de_minimis: DeMinimis | None = None
    accumulation: str | None = None
    partial: PartialCumulation | None = None
    minimal: frozenset[str] = frozenset()
    minimal_article: str = ""
    never_enough: frozenset[str] = frozenset()
    never_enough_article: str = ""
    processes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()

    def line_for(self, hs: str) -> tuple[RuleLine, bool]:
        """The rule for an HS code: that of its longest listed prefix, else the general rule. And whether it is listed."""
        for digits in range(len(hs), 1, -1):
            if line := self.lines.get(hs[:digits]):
                return line, True
        return self.general, False

    def process(self, name: str) -> str:
        """The code of a process, from its name or another name of it."""
        code = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
        return self.aliases.get(code, code)

    def must_be_in_force(self, on: date) -> None:
        """Refuses a day before the first day of these rules. Raises OriginRulesNotInForce."""
        if on < self.valid_from:
            raise OriginRulesNotInForce("on", form=self.form, version=self.version, first=self.valid_from, day=on)
