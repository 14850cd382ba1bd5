"""What holds for the assessment of any goods by any rule."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from services.certificates.domain.origin.assessment import Assessment, assess
from services.certificates.domain.origin.evaluation import judge
from services.certificates.domain.origin.exact import percentage, reaches
from services.certificates.domain.origin.notation import parse_rule
from services.certificates.domain.origin.rule import Alternative, Rule
from services.certificates.domain.origin.rule_set import RvcMethod
from services.certificates.domain.origin.statement import CostStatement
from tests.certificates.origin.statements import ATIGA, CENTS, DAY, METHODS, RULES, statements, with_rule


def rank(found: Assessment) -> int:
    """2 if the goods originate, 1 if partial cumulation is offered, else 0."""
    return 2 if found.qualifies else int(found.pc_offer is not None)


@given(statements(), RULES, METHODS, st.data())
def test_a_material_that_becomes_originating_never_hurts(
    statement: CostStatement, rule: Rule, method: RvcMethod, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(statement.materials) - 1))
    better = replace(statement.materials[at], origin="KH", originating=True, pc_share=None)
    changed = replace(statement, materials=(*statement.materials[:at], better, *statement.materials[at + 1 :]))
    rules = with_rule(rule, method)

    assert assess(changed, rules, DAY).qualifies >= assess(statement, rules, DAY).qualifies


@given(statements(), RULES, CENTS)
def test_more_originating_value_at_the_same_price_of_the_rest_never_hurts(
    statement: CostStatement, rule: Rule, more: Decimal
) -> None:
    richer = replace(statement, fob=statement.fob + more, labour=(statement.labour or Decimal(0)) + more)
    for method in RvcMethod:
        rules = with_rule(rule, method)
        assert assess(richer, rules, DAY).qualifies >= assess(statement, rules, DAY).qualifies


@given(statements(), METHODS, st.integers(20, 39), st.integers(20, 39))
def test_a_greater_share_of_partial_cumulation_never_hurts(
    statement: CostStatement, method: RvcMethod, one: int, other: int
) -> None:
    rules = replace(ATIGA, method=method)
    rest, wire = statement.materials[1:], statement.materials[0]
    less, more = (
        replace(statement, materials=(replace(wire, origin="VN", originating=None, pc_share=Decimal(share)), *rest))
        for share in sorted((one, other))
    )

    assert rank(assess(more, rules, DAY)) >= rank(assess(less, rules, DAY))


@given(statements(), RULES, METHODS)
def test_a_rule_is_met_exactly_if_one_of_its_alternatives_is(statement: CostStatement, rule: Rule, method: RvcMethod) -> None:
    whole = assess(statement, with_rule(rule, method), DAY)
    parts = [assess(statement, with_rule(Rule((each,)), method), DAY) for each in rule.alternatives]

    assert whole.qualifies is any(part.qualifies for part in parts)


@given(statements(), RULES, METHODS)
def test_a_combination_is_met_exactly_if_all_of_its_criteria_are(
    statement: CostStatement, rule: Rule, method: RvcMethod
) -> None:
    case = assess(statement, with_rule(rule, method), DAY).case
    for alternative in rule.alternatives:
        single = [judge(Alternative((each,)), case).met for each in alternative.requirements]
        assert judge(alternative, case).met is all(single)


@given(statements(), RULES, METHODS, st.randoms())
def test_the_order_of_the_materials_is_irrelevant(
    statement: CostStatement, rule: Rule, method: RvcMethod, shuffler: Random
) -> None:
    shuffled = list(statement.materials)
    shuffler.shuffle(shuffled)
    rules = with_rule(rule, method)
    before, after = (assess(each, rules, DAY) for each in (statement, replace(statement, materials=tuple(shuffled))))

    assert (before.box8, before.box13, before.pc_offer) == (after.box8, after.box13, after.pc_offer)
    assert before.case.content == after.case.content


@given(st.integers(1, 10**18), st.integers(0, 10**18), st.integers(0, 100_000))
def test_rounding_never_helps(fob: int, part: int, thousandths: int) -> None:
    assume(part <= fob)
    value, whole, percent = Decimal(part).scaleb(-6), Decimal(fob).scaleb(-6), Decimal(thousandths).scaleb(-3)
    exactly = Fraction(part * 100, fob)

    assert Fraction(percentage(value, whole)) <= exactly < Fraction(percentage(value, whole)) + Fraction(1, 100)
    assert reaches(value, whole, percent) is (exactly >= Fraction(percent))


@given(statements(), METHODS)
def test_what_is_missing_suffices_and_a_cent_less_does_not(statement: CostStatement, method: RvcMethod) -> None:
    rules = with_rule(parse_rule("RVC(60)"), method)
    verdict = next(each for each in assess(statement, rules, DAY).verdicts if str(each.alternative) == "RVC(60)")
    part = verdict.parts[0]
    assume(part.missing is not None)
    content, missing = verdict.content, part.missing or Decimal(0)

    assert reaches(content.part + missing, content.fob, Decimal(60))
    assert not reaches(content.part + missing - Decimal("0.00000001"), content.fob, Decimal(60))


@given(statements(), RULES)
def test_direct_and_indirect_agree_if_all_figures_are_stated_and_add_up(statement: CostStatement, rule: Rule) -> None:
    costs = {name: cost or Decimal(0) for name, cost in statement.costs.items()}
    stated = replace(statement, **costs)
    stated = replace(stated, profit=stated.fob - replace(stated, profit=Decimal(0)).stated_total)

    direct, indirect = (assess(stated, with_rule(rule, method), DAY) for method in RvcMethod)

    assert (direct.box8, direct.box13, direct.pc_offer) == (indirect.box8, indirect.box13, indirect.pc_offer)


@given(RULES)
def test_a_rule_is_read_back_from_its_notation(rule: Rule) -> None:
    assert parse_rule(str(rule)) == rule
