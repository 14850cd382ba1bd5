"""Worked cases of origin, each with its arithmetic and its article. The expected values were computed by hand."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.certificates.domain.origin.rule_set import RvcMethod
from services.certificates.origin_rules import KnownRules, digest_of, read_rules_file, shipped_rules
from services.certificates.origin_views import assessment_of
from shared.contracts.certificates.origin import CostStatement, OriginAssessment

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = json.loads((HERE / "cases.json").read_text())
DAY = date(2026, 11, 27)
FILES = {"AI": "rules_ai.json", "PE": "rules_pe.json", "X": "rules_exceptions.json"}


def rules_named(name: str) -> KnownRules:
    if name in FILES:
        file, rules = read_rules_file((HERE / FILES[name]).read_bytes())
        return KnownRules(rules, digest_of(file), shipped=False)
    (shipped,) = (each for each in shipped_rules() if each.rules.form == "D")
    if name == "D-direct":
        return replace(shipped, rules=replace(shipped.rules, method=RvcMethod.DIRECT))
    return shipped


def result_of(case: dict[str, Any]) -> OriginAssessment:
    stated = CostStatement.model_validate_json(json.dumps(case["input"]))
    return assessment_of(stated, rules_named(case["rules"]), DAY)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_worked_case_has_the_result_that_was_computed_by_hand(case: dict[str, Any]) -> None:
    found = result_of(case)

    got = {"qualifies": found.qualifies, "box8": found.box8, "box13": list(found.box13), "pc_offer": found.pc_offer}
    assert got == case["expected"], case["arithmetic"]


def test_there_are_at_least_sixty_cases_each_with_its_arithmetic_and_article() -> None:
    assert len(CASES) >= 60
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert all(len(case["arithmetic"]) > 15 and case["article"] for case in CASES)


def test_the_worksheet_of_every_case_states_its_reasons_in_both_languages() -> None:
    for case in CASES:
        found = result_of(case)
        sentences = [*found.reasons, *found.worksheet.notes, *(each for one in found.alternatives for each in one.reasons)]

        assert found.reasons, case["name"]
        assert all(each.en and each.km and "?" not in each.en for each in sentences), case["name"]


def test_every_criterion_that_is_not_met_says_what_is_missing() -> None:
    for case in CASES:
        for each in result_of(case).alternatives:
            assert bool(each.missing) is not each.met, case["name"]
