"""The worksheet: every figure, what each material counts as, what is missing, and its text in both languages."""

import json
import string
from decimal import Decimal
from typing import Any

from services.certificates.origin_print import FIGURES, printed
from services.certificates.origin_texts import FILE
from services.certificates.origin_views import assessment_of
from shared.contracts.certificates.origin import CostStatement, OriginAssessment, OriginWorksheet
from tests.certificates.origin.statements import DAY
from tests.certificates.origin.test_worked_cases import CASES, result_of, rules_named

HARNESS = {
    "hs": "854430",
    "fob": "120.00",
    "labour": "10",
    "processes": ["crimping", "Packing"],
    "materials": [
        {"description": "wire", "hs": "854449", "value": "40.00", "origin": "VN", "pc_share": "25"},
        {"description": "connectors", "hs": "853669", "value": "50.00", "origin": "CN"},
        {"description": "tape", "hs": "391910", "value": "1.00", "origin": "KH"},
        {"description": "tubes", "hs": "391731", "value": "2.50", "origin": "TH", "originating": True},
    ],
}


def sheet_of(statement: dict[str, Any], rules: str = "D") -> OriginAssessment:
    return assessment_of(CostStatement.model_validate(statement), rules_named(rules), DAY)


def test_every_figure_stands_on_the_worksheet() -> None:
    sheet = sheet_of(HARNESS).worksheet

    assert (sheet.fob, sheet.materials_value, sheet.originating_value) == (Decimal(120), Decimal("93.5"), Decimal("13.5"))
    assert (sheet.non_originating_value, sheet.stated_total, sheet.tolerated_value) == (80, Decimal("103.5"), 12)
    assert (sheet.labour, sheet.overhead) == (10, None)
    direct, indirect = sheet.rvc
    assert (direct.method, direct.part, direct.percent, direct.applied) == ("direct", Decimal("23.5"), Decimal("19.58"), False)
    assert (indirect.method, indirect.part, indirect.percent, indirect.applied) == ("indirect", 40, Decimal("33.33"), True)


def test_each_material_states_what_it_counts_as_and_what_it_fails() -> None:
    found = [
        (each.standing.value, each.originating_value, each.change, each.fails) for each in sheet_of(HARNESS).worksheet.materials
    ]

    assert found == [
        ("partly", 10, "CTSH", ("CTH",)),
        ("non_originating", 0, "CTH", ()),
        ("presumed", 1, "CC", ()),
        ("accumulated", Decimal("2.5"), "CC", ()),
    ]


def test_what_is_missing_is_stated_for_each_criterion() -> None:
    gaps = {each.rule: each.missing for each in sheet_of(HARNESS).alternatives}

    assert gaps["RVC(40)"][0].value == Decimal(8)  # 40 % of 120 is 48, and 40 originates
    assert (gaps["CTH"][0].value, gaps["CTH"][0].materials) == (Decimal(28), (1,))  # 40 of wire, and 12 are tolerated


def test_what_is_missing_is_rounded_up_so_that_it_suffices() -> None:
    thin = {"hs": "940360", "fob": "100", "materials": [{"hs": "940391", "value": "60.000001", "origin": "CN"}]}
    gaps = {each.rule: each.missing for each in sheet_of(thin).alternatives}

    assert gaps["RVC(40)"][0].value == Decimal("0.01")


def test_missing_processes_are_named_as_sets_of_which_one_suffices() -> None:
    linen = {"hs": "630221", "fob": "2", "processes": ["cutting"], "materials": [{"hs": "520852", "value": "1.3"}]}
    gaps = {each.rule: each.missing for each in sheet_of(linen).alternatives}

    assert gaps["SP"][0].processes == (("assembly", "embroidery"), ("assembly", "embellishment"), ("assembly", "printing"))


def test_processes_that_are_never_enough_are_named_as_such() -> None:
    shirt = {"hs": "610910", "fob": "4", "processes": ["printing", "pressing"], "materials": [{"hs": "610910", "value": "3"}]}
    (reason,) = [each.reasons[0] for each in sheet_of(shirt).alternatives if each.rule == "SP"]

    assert reason.code == "sp_never_enough"
    assert "printing" in reason.en


def test_processes_have_other_names_and_the_minimal_ones_are_marked() -> None:
    shirt = {"hs": "610910", "fob": "4", "processes": ["Cut", "SEWING", "needle-punching", "labeling", "washing"]}
    sheet = sheet_of(shirt | {"materials": [{"hs": "600622", "value": "2.6"}]}).worksheet

    assert [(each.code, each.known, each.minimal) for each in sheet.processes] == [
        ("assembly", True, False),
        ("cutting", True, False),
        ("labelling", True, True),
        ("needle_punching", True, False),
        ("washing", False, False),
    ]
    assert "processes_unknown" in [each.code for each in sheet.notes]


def test_the_general_rule_of_a_part_of_a_subheading_is_shown_and_does_not_count() -> None:
    sheet = {"hs": "392112", "fob": "100", "processes": ["foaming"], "materials": [{"hs": "390410", "value": "70"}]}
    found = sheet_of(sheet)
    (general,) = [each for each in found.alternatives if not each.counts]

    assert (general.rule, general.met, found.qualifies) == ("CTH", True, False)
    assert "part_of_subheading" in [each.code for each in found.worksheet.notes]


def test_goods_without_a_loaded_rule_say_so() -> None:
    def notes(rules: str) -> list[str]:
        goods = {"hs": "940360", "fob": "10", "materials": [{"hs": "440729", "value": "4"}]}
        return [each.code for each in sheet_of(goods, rules).worksheet.notes]

    assert "product_rule_not_loaded" in notes("D")
    assert "product_rule_none" in notes("PE")  # the list is complete, and has none


def test_a_total_that_is_not_the_fob_value_is_noted() -> None:
    costs = {"labour": "1", "overhead": "1", "other": "1", "profit": "1"}
    goods = {"hs": "940360", "fob": "10", **costs, "materials": [{"hs": "440729", "value": "4"}]}

    assert "total_is_not_fob" in [each.code for each in sheet_of(goods).worksheet.notes]
    assert "total_is_not_fob" not in [each.code for each in sheet_of(goods | {"profit": "3"}).worksheet.notes]


def test_the_version_of_the_rules_stands_on_the_worksheet() -> None:
    rules = sheet_of(HARNESS).worksheet.rules

    assert (rules.form, rules.country, rules.shipped) == ("D", "KH", True)
    assert rules.version
    assert rules.source


def test_every_case_is_printed_in_both_languages_with_all_its_materials() -> None:
    for case in CASES:
        found = result_of(case)
        english, khmer = printed(found, "en"), printed(found, "km")

        assert len(english.splitlines()) == len(khmer.splitlines()), case["name"]
        assert all(f"HS {each.hs}" in khmer for each in found.worksheet.materials), case["name"]
        assert (found.box8 or "–") in english


def test_a_worksheet_is_read_back_as_it_was_written() -> None:
    for case in CASES:
        found = result_of(case)
        assert OriginAssessment.model_validate_json(found.model_dump_json()) == found


def test_the_texts_have_the_same_values_in_both_languages() -> None:
    texts = json.loads(FILE.read_text(encoding="utf-8"))
    for kind in ("findings", "words", "labels"):
        for code, each in texts[kind].items():
            assert each.keys() == {"en", "km"}, code
            assert values_in(each["en"]) == values_in(each["km"]), code
    assert {*FIGURES} <= texts["labels"].keys()
    assert set(FIGURES) <= OriginWorksheet.model_fields.keys()


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
