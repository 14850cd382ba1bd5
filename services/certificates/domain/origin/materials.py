"""What each material counts as: originating, in part, or not; and the change of its tariff classification."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from services.certificates.domain.origin.exact import ZERO, minus, percent_of, plus
from services.certificates.domain.origin.rule import DIGITS, Requirement
from services.certificates.domain.origin.rule_set import RuleSet
from services.certificates.domain.origin.statement import CostStatement, Material


class Standing(StrEnum):
    """What a material counts as."""

    DOMESTIC = "domestic"
    """It originates in the exporting state."""
    PRESUMED = "presumed"
    """It was bought from a producer in the exporting state (Art. 29(5)), and nothing else was stated."""
    ACCUMULATED = "accumulated"
    """It originates in another member state (Art. 30(1))."""
    PARTLY = "partly"
    """It has a certificate for partial cumulation: its share counts (Art. 30(2))."""
    NON_ORIGINATING = "non_originating"


@dataclass(frozen=True, kw_only=True)
class JudgedMaterial:
    """A material with what counts of its value. `change`: the widest change from its HS code to that of the goods, or None."""

    number: int
    material: Material
    standing: Standing
    originating_value: Decimal
    non_originating_value: Decimal
    change: str | None

    @property
    def is_originating(self) -> bool:
        """Whether it needs no change of tariff classification."""
        return self.standing not in (Standing.PARTLY, Standing.NON_ORIGINATING)

    def fails(self, requirement: Requirement) -> bool:
        """Whether this material does not undergo the change that a requirement demands."""
        if self.is_originating:
            return False
        kinds = tuple(DIGITS)
        changed = self.change is not None and kinds.index(self.change) <= kinds.index(requirement.kind)
        return not changed or any(each.includes(self.material.hs) for each in requirement.excepted)


@dataclass(frozen=True)
class Materials:
    """All materials of a statement, judged."""

    judged: Sequence[JudgedMaterial]
    originating: Decimal
    non_originating: Decimal

    @property
    def accumulated(self) -> bool:
        """Whether a material of another member counts as originating."""
        return any(each.standing is Standing.ACCUMULATED for each in self.judged)

    @property
    def all_originate(self) -> bool:
        """Whether no material needs a change of tariff classification."""
        return all(each.is_originating for each in self.judged)

    def failing(self, requirement: Requirement) -> tuple[JudgedMaterial, ...]:
        """The materials that do not undergo a change."""
        return tuple(each for each in self.judged if each.fails(requirement))


def judged(statement: CostStatement, rules: RuleSet) -> Materials:
    """The materials of a statement, each with what it counts as."""
    found = [_judged(number, each, statement.hs, rules) for number, each in enumerate(statement.materials, start=1)]
    return Materials(
        found,
        plus(*(each.originating_value for each in found)),
        plus(*(each.non_originating_value for each in found)),
    )


def _judged(number: int, material: Material, hs: str, rules: RuleSet) -> JudgedMaterial:
    standing, counts = _standing(material, rules), material.value
    if standing is Standing.NON_ORIGINATING:
        counts = ZERO
    elif standing is Standing.PARTLY:
        counts = percent_of(material.pc_share or ZERO, material.value)
    return JudgedMaterial(
        number=number,
        material=material,
        standing=standing,
        originating_value=counts,
        non_originating_value=minus(material.value, counts),
        change=next((kind for kind, digits in DIGITS.items() if material.hs[:digits] != hs[:digits]), None),
    )


def _standing(material: Material, rules: RuleSet) -> Standing:
    if material.pc_share is not None:
        return Standing.PARTLY
    if material.originating is None:
        return Standing.PRESUMED if material.origin == rules.country else Standing.NON_ORIGINATING
    if not material.originating:
        return Standing.NON_ORIGINATING
    return Standing.DOMESTIC if material.origin in (None, rules.country) else Standing.ACCUMULATED
