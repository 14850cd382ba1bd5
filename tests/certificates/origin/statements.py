"""Statements and rules at random, for properties."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from services.certificates.domain.origin.rule import Alternative, Excepted, Requirement, Rule
from services.certificates.domain.origin.rule_set import RuleSet, RvcMethod
from services.certificates.domain.origin.statement import CostStatement, Material
from services.certificates.origin_rules import shipped_rules

DAY = date(2026, 11, 27)
ATIGA = next(each.rules for each in shipped_rules() if each.rules.form == "D")
HS = st.sampled_from(["871200", "871491", "871499", "401150", "854449", "610910", "520811", "870120"])
LISTED = ("610910", "520811")
"""Those of them that the textile rule lists."""
CENTS = st.integers(0, 10**7).map(lambda cents: Decimal(cents).scaleb(-2))
SMALL = st.integers(0, 10**9).map(lambda millionths: Decimal(millionths).scaleb(-6))
PROCESSES = st.lists(st.sampled_from(["cutting", "sewing", "packing", "weaving", "welding", "dyeing"]), max_size=3)


ORIGINS = {
    "foreign": ("CN", None),
    "domestic": ("KH", True),
    "presumed": ("KH", None),
    "accumulated": ("TH", True),
    "refused": ("TH", False),
    "partly": ("VN", None),
}
"""Origins of materials: the country, and whether it is stated that they originate there."""


def a_material(values: tuple[str, Decimal, str, int]) -> Material:
    """A material of one of these origins."""
    hs, value, kind, share = values
    origin, originating = ORIGINS[kind]
    pc_share = Decimal(share) if kind == "partly" else None
    return Material(hs=hs, value=value, origin=origin, originating=originating, pc_share=pc_share)


MATERIALS = st.tuples(HS, CENTS | SMALL, st.sampled_from(sorted(ORIGINS)), st.integers(20, 39)).map(a_material)
STATED = st.tuples(
    HS,
    st.lists(MATERIALS, min_size=1, max_size=6),
    st.tuples(*(st.none() | CENTS,) * 4),
    CENTS.filter(bool),
    st.booleans(),
    PROCESSES,
)


def a_statement(values: tuple[str, list[Material], tuple[Decimal | None, ...], Decimal, bool, list[str]]) -> CostStatement:
    """A statement whose figures together are below its FOB value."""
    hs, materials, costs, spare, wholly_obtained, processes = values
    total = sum((each.value for each in materials), spare) + sum((cost for cost in costs if cost is not None), Decimal(0))
    labour, overhead, other, profit = costs
    return CostStatement(
        hs=hs,
        fob=total,
        materials=tuple(materials),
        wholly_obtained=wholly_obtained,
        processes=tuple(processes),
        labour=labour,
        overhead=overhead,
        other=other,
        profit=profit,
    )


def statements() -> st.SearchStrategy[CostStatement]:
    """Statements without faults."""
    return STATED.map(a_statement)


@st.composite
def alternatives(draw: st.DrawFn) -> Alternative:
    """An alternative of one to three criteria of different kinds."""
    changes = st.builds(
        Requirement,
        st.sampled_from(["CC", "CTH", "CTSH"]),
        excepted=st.sampled_from([(), (Excepted("87", "87"),), (Excepted("8714", "8714"), Excepted("5204", "5212"))]),
    )
    contents = st.builds(Requirement, st.just("RVC"), st.integers(1, 100).map(Decimal))
    others = st.sampled_from([Requirement("WO"), Requirement("SP"), Requirement("PE")])
    found = draw(st.lists(st.one_of(changes, contents, others), min_size=1, max_size=3, unique_by=_family))
    return Alternative(tuple(found))


def _family(requirement: Requirement) -> str:
    return "change" if requirement.is_change else requirement.kind


RULES = st.lists(alternatives(), min_size=1, max_size=3).map(lambda found: Rule(tuple(found)))
METHODS = st.sampled_from(RvcMethod)


def with_rule(rule: Rule, method: RvcMethod = RvcMethod.INDIRECT) -> RuleSet:
    """The rules of ATIGA with another general rule, for all goods, and with PE."""
    general = replace(ATIGA.general, rule=rule)
    lines = {hs: replace(ATIGA.lines[hs], rule=rule) for hs in LISTED}
    return replace(ATIGA, general=general, lines=lines, method=method, criteria=ATIGA.criteria | {"PE"})
