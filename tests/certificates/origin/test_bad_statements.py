"""Statements that cannot be assessed: each is refused with its field and a sentence that says what to do."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal, Inexact
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.certificates.domain.origin.assessment import assess
from services.certificates.domain.origin.claim import claim_in
from services.certificates.domain.origin.countries import COUNTRIES
from services.certificates.domain.origin.exact import EXACT
from services.certificates.domain.origin.rule_set import OriginRulesNotInForce
from services.certificates.domain.origin.statement import CostStatement, FigureImpossible, FobNotPositive, Material, faults_of
from services.certificates.origin_rules import KnownRules, OriginRulesUnknown, rules_for, shipped_rules
from services.certificates.origin_views import assessment_of, problems_of
from shared.contracts.certificates import origin
from shared.refusals import Refused
from tests.certificates.origin.statements import ATIGA, DAY
from tests.certificates.origin.test_worked_cases import rules_named

GOOD: dict[str, Any] = {"hs": "871200", "fob": "300", "materials": [{"hs": "871491", "value": "120", "origin": "CN"}]}
KNOWN = next(each for each in shipped_rules() if each.rules.form == "D")


WRONG_TEXTS = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e3",
    "1E+30",
    "1,000",
    "1 000",
    "",
    " ",
    "+5",
    "0x10",
    "1_000",
    ".5",
    "5.",
    "១២",
)
NOT_FIGURES = (*WRONG_TEXTS, "1" * 13, "0.1234567", "9" * 400, 12.5, 12, True, None, [], {})


def stated(**changed: Any) -> origin.CostStatement:
    material = {**GOOD["materials"][0], **changed.pop("material", {})}
    return origin.CostStatement.model_validate_json(json.dumps({**GOOD, "materials": [material], **changed}))


def codes(statement: origin.CostStatement, known: KnownRules = KNOWN, claim: str | None = None) -> list[tuple[str, str]]:
    return [(each.fields[0], each.code) for each in problems_of(statement, known, claim)]


def test_a_good_statement_has_no_problem() -> None:
    assert codes(stated()) == []


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"fob": "0"}, "fob", "statement_fob_not_positive"),
        ({"fob": "0.000000"}, "fob", "statement_fob_not_positive"),
        ({"fob": "-300"}, "fob", "statement_fob_not_positive"),
        ({"labour": "-1"}, "labour", "statement_figure_impossible"),
        ({"hs": "8712"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "8712.00"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "001200"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "771200"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "981200"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "870012"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "871200000000"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "៨៧១២០០"}, "hs", "statement_hs_code_impossible"),
        ({"hs": "bikes!"}, "hs", "statement_hs_code_impossible"),
        ({"material": {"value": "-1"}}, "materials.0.value", "statement_figure_impossible"),
        ({"material": {"hs": "87149"}}, "materials.0.hs", "statement_hs_code_impossible"),
        ({"material": {"origin": "QQ"}}, "materials.0.origin", "statement_country_unknown"),
        ({"material": {"origin": "China"}}, "materials.0.origin", "statement_country_unknown"),
        ({"material": {"origin": "cn"}}, "materials.0.origin", "statement_country_unknown"),
        ({"material": {"originating": True}}, "materials.0.originating", "material_origin_not_member"),
        ({"material": {"pc_share": "25"}}, "materials.0.pc_share", "pc_share_impossible"),
        ({"material": {"origin": "VN", "pc_share": "19.999"}}, "materials.0.pc_share", "pc_share_impossible"),
        ({"material": {"origin": "VN", "pc_share": "40"}}, "materials.0.pc_share", "pc_share_impossible"),
        ({"material": {"origin": "VN", "pc_share": "0.25"}}, "materials.0.pc_share", "pc_share_impossible"),
        ({"material": {"origin": "VN", "pc_share": "25", "originating": True}}, "materials.0.pc_share", "pc_share_impossible"),
        ({"material": {"origin": "KH", "pc_share": "25"}}, "materials.0.pc_share", "pc_share_impossible"),
        ({"material": {"value": "300.01"}}, "materials", "statement_materials_above_fob"),
        ({"labour": "180.01"}, "labour", "statement_costs_above_fob"),
        ({"labour": "100", "profit": "80.000001"}, "labour", "statement_costs_above_fob"),
        ({"materials": []}, "materials", "statement_materials_missing"),
    ],
)
def test_an_impossible_statement_is_refused_at_its_field(changed: dict[str, Any], field: str, code: str) -> None:
    statement = stated(**changed)

    assert codes(statement) == [(field, code)]
    with pytest.raises(Refused) as refused:
        assessment_of(statement, KNOWN, DAY)
    assert all(len(refused.value.sentence(language)) > 30 and "?" not in refused.value.detail for language in ("en", "km"))


@pytest.mark.parametrize("value", NOT_FIGURES)
def test_a_number_that_is_not_written_out_is_refused_at_its_field(value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        stated(fob=value)

    (fault,) = refused.value.errors()
    assert fault["loc"] == ("fob",)
    assert "1250.50" in fault["msg"]


def test_every_problem_is_reported_together() -> None:
    statement = stated(fob="-1", hs="12", material={"hs": "x", "origin": "QQ", "value": "-3"})

    assert {field for field, _ in codes(statement)} == {
        "fob",
        "hs",
        "materials.0.hs",
        "materials.0.origin",
        "materials.0.value",
    }


def test_ten_thousand_materials_are_refused_by_the_contract_and_by_the_rules() -> None:
    with pytest.raises(ValidationError, match="at most 1000"):
        stated(materials=GOOD["materials"] * 10_000)
    many = CostStatement(hs="871200", fob=Decimal(10**9), materials=(Material(hs="871491", value=Decimal(1)),) * 10_000)

    assert [each.code for each in faults_of(many, ATIGA)] == ["statement_too_many_materials"]


def test_a_thousand_materials_are_assessed() -> None:
    found = assessment_of(stated(fob="250000", materials=GOOD["materials"] * 1000), KNOWN, DAY)

    assert (found.box8, len(found.worksheet.materials)) == ("CTH", 1000)
    assert len(found.model_dump_json().encode()) < 900_000


def test_fields_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ValidationError, match="not permitted"):
        stated(discount="5")


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+400"), Decimal("1E-400")])
def test_the_domain_itself_refuses_figures_without_bounds(value: Decimal) -> None:
    good = CostStatement(hs="871200", fob=Decimal(300), materials=(Material(hs="871491", value=Decimal(1)),))
    with pytest.raises((FigureImpossible, FobNotPositive)):
        assess(replace(good, fob=value), ATIGA, DAY)
    with pytest.raises(FigureImpossible):
        assess(replace(good, materials=(Material(hs="871491", value=value),)), ATIGA, DAY)
    with pytest.raises(FigureImpossible):
        assess(replace(good, profit=value), ATIGA, DAY)


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("PE", "origin_criterion_unknown"),
        ("39.999%", "origin_claim_below_threshold"),
        ("39%", "origin_claim_below_threshold"),
        ("PC 40%", "origin_claim_partial_outside"),
        ("PC 19.99%", "origin_claim_partial_outside"),
        ("PC CTH", "origin_claim_malformed"),
        ("RVC", "origin_claim_malformed"),
        ("CTH + CTH", "origin_claim_malformed"),
        ("cth", "origin_claim_malformed"),
        ("40", "origin_claim_malformed"),
        ("", "origin_claim_malformed"),
    ],
)
def test_a_claim_that_box_8_cannot_have_is_refused(claim: str, code: str) -> None:
    assert codes(stated(), claim=claim) == [("claim", code)]


@pytest.mark.parametrize(
    ("claim", "met"),
    [("CTH", True), ("60%", True), ("59.5%", True), ("60.000001%", False), ("WO", False), ("SP", False), ("PC 25%", False)],
)
def test_a_claim_is_met_only_by_what_the_goods_reach(claim: str, met: bool) -> None:
    found = assessment_of(stated(), KNOWN, DAY, claim)

    assert found.claim == origin.ClaimVerdict(criterion=claim, met=met)


def test_a_combined_claim_is_met_by_a_combined_rule() -> None:
    known = rules_named("AI")
    for claim, met in (("CTSH + 35%", True), ("CTSH + 60%", True), ("CTSH + 60.1%", False)):
        assert claim_in(claim, known.rules, "871200").is_met_by(assess_for(known)) is met
    assert codes(stated(), known, "PC 25%") == [("claim", "origin_criterion_unknown")]


def assess_for(known: KnownRules) -> Any:
    material = Material(hs="871491", value=Decimal(120), origin="CN")
    return assess(CostStatement(hs="871200", fob=Decimal(300), materials=(material,)), known.rules, DAY)


def test_goods_below_forty_percent_can_be_claimed_as_partial_cumulation() -> None:
    half = stated(hs="871491", material={"value": "200"})
    found = assessment_of(half, KNOWN, DAY, "PC 33%")

    assert (found.qualifies, found.pc_offer, found.claim and found.claim.met) == (False, "PC 33.33%", True)


def test_a_form_without_rules_and_a_day_before_the_rules_are_refused() -> None:
    with pytest.raises(OriginRulesUnknown, match="No origin rules of Form X"):
        rules_for("X", DAY, shipped_rules())
    with pytest.raises(OriginRulesUnknown):
        rules_for("D", date(2010, 1, 1), shipped_rules())
    with pytest.raises(OriginRulesNotInForce):
        assess(CostStatement(hs="071410", fob=Decimal(1), materials=(), wholly_obtained=True), ATIGA, date(2010, 1, 1))


def test_arithmetic_that_would_round_raises() -> None:
    with pytest.raises(Inexact):
        EXACT.divide(Decimal(1), Decimal(3))


def test_all_countries_of_the_standard_are_known() -> None:
    assert len(COUNTRIES) == 249
    assert {"KH", "TL", "VN", "CN", "TW"} <= COUNTRIES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3)
)


@given(st.dictionaries(st.sampled_from([*origin.CostStatement.model_fields, "x"]), JSON, max_size=6))
def test_any_values_are_read_and_assessed_or_refused(values: dict[str, Any]) -> None:
    try:
        statement = origin.CostStatement.model_validate_json(json.dumps({**GOOD, **values}))
    except ValidationError:
        return
    problems = problems_of(statement, KNOWN)
    assert all(problem.fields and problem.detail for problem in problems)
    if not problems:
        assert assessment_of(statement, KNOWN, DAY).reasons
