"""The notation of origin rules, and how faults in it are reported."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.certificates.domain.origin.notation import MAX_RULE, RuleMalformed, parse_rule
from services.certificates.domain.origin.rule import RuleCriterionUnknown


@pytest.mark.parametrize(
    "text",
    [
        "WO",
        "RVC(40) or CTH",
        "RVC(40) or CC or SP",
        "CTSH + RVC(35)",
        "RVC(62.5) or CTH + RVC(30)",
        "CTH except from heading 2403",
        "CC except from chapter 61",
        "CTSH except from subheading 520100",
        "CC except from headings 5106 to 5113, chapter 54, chapters 55 to 60 or RVC(40)",
        "PE",
    ],
)
def test_a_rule_is_written_as_it_was_read(text: str) -> None:
    assert str(parse_rule(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  RVC( 40 )or CTH ", "RVC(40) or CTH"),
        ("CTH except from heading 24.03", "CTH except from heading 2403"),
        ("CC except from chapters 61 and 62", "CC except from chapter 61, chapter 62"),
        ("CTH except from headings 2401, 2403", "CTH except from heading 2401, heading 2403"),
        ("RVC(40.0)", "RVC(40)"),
    ],
)
def test_other_ways_to_write_a_rule_have_one_form(text: str, canonical: str) -> None:
    assert str(parse_rule(text)) == canonical


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("   ", 1),
        ("CHT", 1),
        ("cth", 1),
        ("RVC", 4),
        ("RVC 40", 5),
        ("RVC(", 5),
        ("RVC(0)", 5),
        ("RVC(100.001)", 5),
        ("RVC(1000)", 5),
        ("RVC(40", 7),
        ("RVC(-40)", 5),
        ("RVC(4e1)", 6),
        ("RVC(40) or", 11),
        ("or CTH", 1),
        ("RVC(40) CTH", 9),
        ("RVC(40) + RVC(50)", 11),
        ("CC + CTH", 6),
        ("RVC(40) or CTH;", 15),
        ("CTH except heading 2403", 12),
        ("CTH except from 2403", 17),
        ("CTH except from heading 240", 25),
        ("CTH except from chapter 2403", 25),
        ("CTH except from headings 2403 to 2401", 34),
        ("RVC(40) except from heading 2403", 9),
        ("CTH except from heading 2403,", 30),
        ("(RVC(40) or CTH) + SP", 1),
        ("RVC(40) ឬ CTH", 9),
        ("RVC(٤٠)", 5),
    ],
)
def test_a_fault_is_refused_with_its_position(text: str, position: int) -> None:
    with pytest.raises(RuleMalformed) as refused:
        parse_rule(text, "general_rule.rule")

    assert refused.value.values["position"] == str(position)
    assert refused.value.fields == ("general_rule.rule",)
    assert f"position {position}" in refused.value.detail


def test_a_rule_that_is_too_long_is_refused() -> None:
    with pytest.raises(RuleMalformed):
        parse_rule(" or ".join(["CTH"] * MAX_RULE))


def position_of_fault(text: str) -> int | None:
    try:
        assert parse_rule(str(parse_rule(text))) == parse_rule(text)
    except RuleMalformed as refused:
        return int(refused.values["position"])
    return None


@given(st.text(max_size=60) | st.text("RVCTHSPWO(40)+,orexcptfmhading 6-", max_size=60))
def test_any_text_is_read_or_refused_at_a_position(text: str) -> None:
    position = position_of_fault(text)

    assert position is None or 1 <= position <= len(text) + 1


def test_a_percentage_keeps_its_decimals() -> None:
    assert parse_rule("RVC(39.999)").alternatives[0].requirements[0].percent == Decimal("39.999")


def test_a_criterion_that_the_form_does_not_have_is_refused() -> None:
    with pytest.raises(RuleCriterionUnknown, match="Form D does not have"):
        parse_rule("RVC(40) or PE").must_use_only({"RVC", "CTH"}, "D", "general_rule.rule")
