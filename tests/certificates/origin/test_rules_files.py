"""Files of origin rules: the shipped one, and how faulty ones are refused."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.certificates.origin_rules import KnownRules, RuleFileFaulty, digest_of, read_rules_file, rules_for
from services.certificates.origin_schemas import SCHEMAS, all_schemas
from services.certificates.reference_data import ReferenceData
from tests.certificates.origin.statements import ATIGA, DAY
from tests.certificates.origin.test_worked_cases import HERE, rules_named

GOOD: dict[str, Any] = json.loads((HERE / "rules_exceptions.json").read_text())


def faults(**changed: Any) -> list[tuple[str, str]]:
    """The places and sentences of a file with other values."""
    with pytest.raises(RuleFileFaulty) as refused:
        read_rules_file(json.dumps(GOOD | changed).encode())
    return [(each.at, each.sentence) for each in refused.value.faults]


def test_the_shipped_rules_are_those_of_the_form_of_this_release() -> None:
    form = ReferenceData.load().form("D", DAY)

    assert (ATIGA.members, ATIGA.criteria) == (form.members, form.criteria)
    assert ATIGA.valid_from <= form.effective_from
    assert str(ATIGA.general.rule) == "RVC(40) or CTH"
    assert not ATIGA.complete


def test_the_textile_rule_has_the_subheadings_of_the_treaty() -> None:
    groups = Counter(rule.name for line in ATIGA.lines.values() for rule in line.process_rules)

    assert len(ATIGA.lines) == 793  # 795 rows of the treaty, two of them in two groups
    assert groups == {"fibre_and_yarn": 163, "fabric": 340, "apparel": 214, "made_up": 78}
    assert sum(line.part_of_subheading for line in ATIGA.lines.values()) == 12
    assert {str(line.rule) for line in ATIGA.lines.values()} == {"RVC(40) or SP"}


def test_goods_without_a_rule_of_their_own_get_the_general_rule() -> None:
    assert ATIGA.line_for("871200") == (ATIGA.general, False)
    assert ATIGA.line_for("61091010")[1] is True


def test_the_longest_listed_prefix_decides() -> None:
    rules = rules_named("X").rules

    assert rules.line_for("24022010")[0].article == "line 2402"
    assert rules.line_for("240110")[1] is False


def test_the_same_content_has_the_same_digest_however_it_is_written() -> None:
    compact, spacious = json.dumps(GOOD).encode(), json.dumps(dict(reversed(GOOD.items())), indent=8).encode()

    assert digest_of(read_rules_file(compact)[0]) == digest_of(read_rules_file(spacious)[0])


@pytest.mark.parametrize(
    ("content", "at"),
    [
        (b"", "line 1, column 1"),
        (b'{\n "form": "D",\n "agreement": }', "line 3, column 15"),
        (b"\xff\xfe", "file"),
        (b"[" * 100_000, "file"),
        (b'{"form": "D", "form": "E"}', "file"),
        (b"[]", "file"),
        (b" " * (4 * 1024 * 1024 + 1), "file"),
    ],
)
def test_a_file_that_is_not_json_is_refused_with_its_line(content: bytes, at: str) -> None:
    with pytest.raises(RuleFileFaulty) as refused:
        read_rules_file(content)

    assert refused.value.faults[0].at == at


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"form": "d!"}, "form"),
        ({"valid_from": "yesterday"}, "valid_from"),
        ({"criteria": ["WO", "XX"]}, "criteria.1"),
        ({"rvc_method": "either"}, "rvc_method"),
        ({"unknown": 1}, "unknown"),
        ({"members": ["VN", "LA"]}, "members"),
        ({"general_rule": {"rule": "RVC(40) or CHT", "article": "x"}}, "general_rule.rule"),
        ({"general_rule": {"rule": "RVC(40) or PE", "article": "x"}}, "general_rule.rule"),
        ({"product_rules": [{"hs": ["24", "2x"], "rule": "CC", "article": "x"}]}, "product_rules.0.hs.1"),
        ({"product_rules": [{"hs": ["24", "25", "24"], "rule": "CC", "article": "x"}]}, "product_rules.0.hs.2"),
        ({"product_rules": [{"hs": ["24"], "rule": "CC +", "article": "x"}]}, "product_rules.0.rule"),
        (
            {"product_rules": [{"hs": ["24"], "rule": "SP", "article": "x", "process_rules": ["none"]}]},
            "product_rules.0.process_rules.0",
        ),
        ({"process_rules": {"a": {"text": {"en": "x", "km": "x"}, "any_of": [["none"]]}}}, "process_rules.a.any_of"),
        ({"minimal_operations": {"processes": ["packing"], "article": "x"}}, "minimal_operations.processes"),
        ({"de_minimis": {"percent": "0", "article": "x"}}, "de_minimis.percent"),
        ({"de_minimis": {"percent": "100.1", "article": "x"}}, "de_minimis.percent"),
        ({"de_minimis": {"percent": 10, "article": "x"}}, "de_minimis.percent"),
        ({"partial_cumulation": {"least": "40", "below": "20", "article": "x"}}, "partial_cumulation"),
    ],
)
def test_a_faulty_value_is_refused_at_its_field(changed: dict[str, Any], at: str) -> None:
    found = faults(**changed)

    assert found[0][0] == at
    assert all(len(sentence) > 10 for _, sentence in found)


def test_all_faults_of_a_file_are_reported_together() -> None:
    rules = [{"hs": ["24"], "rule": "CC or", "article": "x"}, {"hs": ["24"], "rule": "RVC(0)", "article": "x"}]

    assert [at for at, _ in faults(product_rules=rules)] == [
        "product_rules.0.rule",
        "product_rules.1.rule",
        "product_rules.1.hs.0",
    ]


def test_the_position_of_a_fault_in_a_rule_is_reported() -> None:
    ((_, sentence),) = faults(general_rule={"rule": "RVC(40) or CHT", "article": "x"})

    assert "position 12" in sentence
    assert '"CHT"' in sentence


def test_of_several_rules_the_latest_in_force_is_used_and_loaded_ones_come_first() -> None:
    def known(version: str, first: date, *, shipped: bool = False) -> KnownRules:
        rules = read_rules_file(json.dumps(GOOD | {"version": version, "valid_from": str(first)}).encode())[1]
        return KnownRules(rules, version, shipped=shipped)

    day = date(2026, 1, 1)
    every = [
        known("old", date(2020, 1, 1)),
        known("shipped", day, shipped=True),
        known("loaded", day),
        known("corrected", day),
        known("next", date(2027, 1, 1)),
    ]

    assert rules_for("D", day, every).digest == "corrected"
    assert rules_for("D", date(2025, 12, 31), every).digest == "old"
    assert rules_for("D", date(2027, 1, 1), every).digest == "next"


def test_the_schemas_in_the_repository_are_those_of_the_contracts() -> None:
    assert {file: file.read_text(encoding="utf-8") for file, _ in all_schemas()} == dict(all_schemas()), "run `make generate`"


def test_a_figure_is_text_in_every_schema() -> None:
    schema = SCHEMAS["cost-statement"].model_json_schema()

    assert schema["properties"]["fob"]["type"] == "string"
    assert schema["required"] == ["hs", "fob", "materials"]
    assert Decimal("1.5") == SCHEMAS["cost-statement"].model_validate({"hs": "1", "fob": "1.5", "materials": []}).fob  # type: ignore[attr-defined]
