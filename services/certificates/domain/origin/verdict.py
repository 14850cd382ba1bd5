"""The verdict on one criterion and on one alternative of a rule."""

from dataclasses import dataclass, field
from decimal import Decimal

from services.certificates.domain.origin.exact import percentage, plain
from services.certificates.domain.origin.rule import Alternative, Requirement

ACCUMULATION, DE_MINIMIS, PARTIAL_CUMULATION = "Accumulation", "De Minimis", "Partial Cumulation"
"""The ticks of box 13, as they are printed."""


@dataclass(frozen=True)
class Finding:
    """A statement on the worksheet: the code of its sentence, and the values in it."""

    code: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Content:
    """The regional value content. `part` of the FOB value originates; nothing is rounded."""

    part: Decimal
    fob: Decimal

    @property
    def shown(self) -> str:
        """The percentage, rounded down to two decimals."""
        return plain(percentage(self.part, self.fob))


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The verdict on one criterion. `failing`: the numbers of the materials that fail it. `missing`: what lacks in value.

    `lacking`: the sets of processes, one of which would suffice.
    `by_default`: no material needed the change of tariff classification. `tolerated`: it is met by de minimis only.
    """

    requirement: Requirement
    met: bool
    finding: Finding
    failing: tuple[int, ...] = ()
    missing: Decimal | None = None
    lacking: tuple[tuple[str, ...], ...] = ()
    tolerated: bool = False
    by_default: bool = False


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on one alternative. `counts`: false if it is only shown, because it applies to other goods of the code."""

    alternative: Alternative
    parts: tuple[Judged, ...]
    content: Content
    accumulated: bool
    counts: bool = True

    @property
    def met(self) -> bool:
        """Whether the goods meet all its criteria."""
        return all(part.met for part in self.parts)

    @property
    def box8(self) -> str | None:
        """The text of box 8 (Annex 7, overleaf notes): the change first, then the percentage reached. None if not met."""
        if not self.met:
            return None
        kinds = sorted((part.requirement.kind for part in self.parts), key=lambda kind: kind == "RVC")
        return " + ".join(f"{self.content.shown}%" if kind == "RVC" else kind for kind in kinds)

    @property
    def box13(self) -> tuple[str, ...]:
        """The ticks of box 13 that follow from the reliefs which it uses. SP looks at processes, so it uses none."""
        if not self.met:
            return ()
        looks_at_materials = any(part.requirement.kind not in ("WO", "SP") for part in self.parts)
        ticks = ((ACCUMULATION, self.accumulated and looks_at_materials), (DE_MINIMIS, self.tolerated))
        return tuple(tick for tick, used in ticks if used)

    @property
    def tolerated(self) -> bool:
        """Whether it needs de minimis."""
        return any(part.tolerated for part in self.parts)

    @property
    def preference(self) -> tuple[bool, bool, int]:
        """Sorts the alternatives that are met: without de minimis first, then by what needs the fewest figures."""
        kinds = [part.requirement.kind for part in self.parts]
        order = ("WO", "PE", "CC", "CTH", "CTSH", "SP").index(kinds[0]) if len(kinds) == 1 and kinds[0] != "RVC" else 10
        return self.tolerated, any(part.by_default for part in self.parts), order + 10 * (kinds == ["RVC"])
