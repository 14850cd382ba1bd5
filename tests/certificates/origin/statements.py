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
CENTS = st.integers(0, 10**7).map(lambda cents: Decimal(cents).scaleb(-2))
SMALL = st.integers(0, 10**9).map(lambda millionths: Decimal(millionths).scaleb(-6))
PROCESSES = st.lists(st.sampled_from(["cutting", "sewing", "packing", "weaving", "welding", "dyeing"]), max_size=3)


@st.composite
def materials(draw: st.DrawFn) -> Material:
    """A material of any standing."""
    kind = draw(st.sampled_from(["foreign", "domestic", "presumed", "accumulated", "partly", "refused"]))
    material = Material(hs=draw(HS), value=draw(CENTS | SMALL))
    if kind == "partly":
        return replace(material, origin="VN", pc_share=draw(st.integers(20, 39).map(Decimal)))
    origin, originating = {
        "foreign": ("CN", None),
        "domestic": ("KH", True),
        "presumed": ("KH", None),
        "accumulated": ("TH", True),
        "refused": ("TH", False),
    }[kind]
    return replace(material, origin=origin, originating=originating)


@st.composite
def statements(draw: st.DrawFn) -> CostStatement:
    """A statement without faults."""
    found = tuple(draw(st.lists(materials(), min_size=1, max_size=6)))
    costs = [draw(st.none() | CENTS) for _ in range(4)]
    spare = draw(CENTS) + Decimal("0.01")
    total = sum((each.value for each in found), spare) + sum((cost for cost in costs if cost is not None), Decimal(0))
    labour, overhead, other, profit = costs
    return CostStatement(
        hs=draw(HS),
        fob=total,
        materials=found,
        wholly_obtained=draw(st.booleans()),
        processes=tuple(draw(PROCESSES)),
        labour=labour,
        overhead=overhead,
        other=other,
        profit=profit,
    )


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
    lines = {hs: replace(line, rule=rule) for hs, line in ATIGA.lines.items()}
    return replace(ATIGA, general=general, lines=lines, method=method, criteria=ATIGA.criteria | {"PE"})
