"""The cost statement of a product: what it is made of, and what it costs. Cost data never leave the ministry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from services.certificates.domain.origin.countries import COUNTRIES
from services.certificates.domain.origin.exact import DECIMALS, ZERO, is_figure, plain, plus
from services.certificates.domain.origin.rule_set import RuleSet
from shared.refusals import Refused

MAX_MATERIALS = 1000
MAX_PROCESSES = 50


class FobNotPositive(Refused):
    code = "statement_fob_not_positive"


class FigureImpossible(Refused):
    code = "statement_figure_impossible"


class HsCodeImpossible(Refused):
    code = "statement_hs_code_impossible"


class CountryUnknown(Refused):
    code = "statement_country_unknown"


class MaterialsMissing(Refused):
    code = "statement_materials_missing"


class TooManyMaterials(Refused):
    code = "statement_too_many_materials"


class TooManyProcesses(Refused):
    code = "statement_too_many_processes"


class MaterialsAboveFob(Refused):
    code = "statement_materials_above_fob"


class CostsAboveFob(Refused):
    code = "statement_costs_above_fob"


class OriginNotMember(Refused):
    code = "material_origin_not_member"


class PcShareImpossible(Refused):
    code = "pc_share_impossible"


class PcShareNotInForm(PcShareImpossible):
    variant = "not_in_form"


class PcShareOfOriginating(PcShareImpossible):
    variant = "originating"


@dataclass(frozen=True, kw_only=True)
class Material:
    """One material. `value`: CIF at importation, or the earliest ascertained price, in the currency of the statement.

    `originating`: whether a certificate or its producer shows that it originates in `origin`; None if not stated.
    `pc_share`: the percentage in box 8 of its certificate for partial cumulation.
    """

    hs: str
    value: Decimal
    description: str = ""
    origin: str | None = None
    originating: bool | None = None
    pc_share: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class CostStatement:
    """What goods are made of and cost, for one unit or one lot, in one currency. A cost that is None was not stated."""

    hs: str
    fob: Decimal
    materials: tuple[Material, ...]
    goods: str = ""
    currency: str = "USD"
    wholly_obtained: bool = False
    processes: tuple[str, ...] = ()
    labour: Decimal | None = None
    overhead: Decimal | None = None
    other: Decimal | None = None
    profit: Decimal | None = None

    @property
    def costs(self) -> Mapping[str, Decimal | None]:
        """The costs besides materials, and the profit."""
        return {"labour": self.labour, "overhead": self.overhead, "other": self.other, "profit": self.profit}

    @cached_property
    def value_of_materials(self) -> Decimal:
        """The value of all materials."""
        return plus(*(material.value for material in self.materials))

    @cached_property
    def stated_total(self) -> Decimal:
        """Materials, stated costs and profit together."""
        return plus(self.value_of_materials, *(cost for cost in self.costs.values() if cost is not None))


def faults_of(statement: CostStatement, rules: RuleSet) -> Iterator[Refused]:
    """Everything that makes an assessment impossible, with the field of each."""
    figures = list(_faults_of_figures(statement))
    yield from figures
    if not is_hs_code(statement.hs):
        yield HsCodeImpossible("hs", hs=statement.hs[:20])
    if len(statement.processes) > MAX_PROCESSES:
        yield TooManyProcesses("processes", most=MAX_PROCESSES)
    if len(statement.materials) > MAX_MATERIALS:
        yield TooManyMaterials("materials", most=MAX_MATERIALS)
        return
    if not statement.materials and not statement.wholly_obtained:
        yield MaterialsMissing("materials", "wholly_obtained")
    for index, material in enumerate(statement.materials):
        yield from _faults_of(material, f"materials.{index}", rules)
    if not figures:
        yield from _faults_of_totals(statement)


def is_hs_code(hs: str) -> bool:
    """Whether a text can be an HS code: 6 to 11 digits in one of the chapters 1 to 97. Chapter 77 is reserved."""
    digits = hs.isascii() and hs.isdecimal() and 6 <= len(hs) <= 11
    return digits and 1 <= int(hs[:2]) <= 97 and hs[:2] != "77" and hs[2:4] != "00"


def _faults_of_figures(statement: CostStatement) -> Iterator[Refused]:
    if statement.fob.is_finite() and statement.fob <= ZERO:
        yield FobNotPositive("fob")
    elif not is_figure(statement.fob):
        yield FigureImpossible("fob", decimals=DECIMALS)
    for name, cost in statement.costs.items():
        if cost is not None and not is_figure(cost):
            yield FigureImpossible(name, decimals=DECIMALS)
    for index, material in enumerate(statement.materials[:MAX_MATERIALS]):
        if not is_figure(material.value):
            yield FigureImpossible(f"materials.{index}.value", decimals=DECIMALS)


def _faults_of(material: Material, field: str, rules: RuleSet) -> Iterator[Refused]:
    if not is_hs_code(material.hs):
        yield HsCodeImpossible(f"{field}.hs", hs=material.hs[:20])
    if material.origin is not None and material.origin not in COUNTRIES:
        yield CountryUnknown(f"{field}.origin", country=material.origin[:20])
    elif material.originating and not _can_originate(material, rules):
        yield OriginNotMember(f"{field}.originating", form=rules.form, members=rules.members, country=material.origin)
    if material.pc_share is not None:
        yield from _faults_of_share(material, f"{field}.pc_share", rules)


def _can_originate(material: Material, rules: RuleSet) -> bool:
    return material.origin in (None, rules.country) or (rules.accumulation is not None and material.origin in rules.members)


def _faults_of_share(material: Material, field: str, rules: RuleSet) -> Iterator[Refused]:
    share, partial = material.pc_share, rules.partial
    if partial is None:
        yield PcShareNotInForm(field, form=rules.form)
    elif material.originating or material.origin == rules.country or material.origin not in rules.members:
        yield PcShareOfOriginating(field, form=rules.form)
    elif share is None or not is_figure(share) or not partial.least <= share < partial.below:
        yield PcShareImpossible(field, least=plain(partial.least), below=plain(partial.below))


def _faults_of_totals(statement: CostStatement) -> Iterator[Refused]:
    materials, total = statement.value_of_materials, statement.stated_total
    if materials > statement.fob:
        yield MaterialsAboveFob(
            "materials", "fob", materials=plain(materials), fob=plain(statement.fob), currency=statement.currency
        )
    elif total > statement.fob:
        yield CostsAboveFob(
            *(name for name, cost in statement.costs.items() if cost is not None),
            total=plain(total),
            fob=plain(statement.fob),
            currency=statement.currency,
        )
