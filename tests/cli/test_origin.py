"""`co origin` and `co rules`, offline: output, exit codes and refusals."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from cli.main import app
from services.certificates.origin_rules import shipped_rules

BICYCLE: dict[str, Any] = {
    "goods": "Bicycles",
    "hs": "871200",
    "fob": "300.00",
    "currency": "USD",
    "processes": ["welding"],
    "materials": [{"description": "Frames", "hs": "871491", "value": "195.00", "origin": "CN"}],
}
TESTS = Path(__file__).parents[1] / "certificates" / "origin"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, BICYCLE)


def written(folder: Path, content: Any) -> Path:
    file = folder / "statement.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def co(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """The exit code, the output and the errors of a command."""
    with pytest.raises(SystemExit) as ended:
        app(list(map(str, words)))
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_a_statement_is_assessed_by_the_rules_of_the_release(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = co(capsys, "origin", "assess", file, "--form", "D", "--on", "2026-11-27")

    assert code == 0
    assert "Box 8: CTH" in out
    assert f"version {shipped_rules()[0].rules.version}" in out
    assert "General rule; no product rule loaded." in out


def test_the_example_of_the_documentation_originates(capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).parents[2] / "examples" / "origin" / "bicycle.json"

    code, out, _ = co(capsys, "origin", "assess", example, "--form", "D")

    assert code == 0
    assert "Box 8: CTH\nBox 13: Accumulation\n" in out


def test_the_worksheet_is_printed_in_khmer(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = co(capsys, "origin", "assess", file, "--form", "D", "--language", "km")

    assert code == 0
    assert "ប្រអប់ ៨: CTH" in out
    assert "Reasons" not in out


def test_the_assessment_is_printed_as_json_in_its_schema(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = co(capsys, "origin", "assess", file, "--form", "D", "--json")
    found = json.loads(out)

    assert code == 0
    assert found.keys() >= {"qualifies", "box8", "box13", "alternatives", "pc_offer", "reasons", "worksheet"}
    assert (found["qualifies"], found["box8"], found["box13"], found["pc_offer"]) == (True, "CTH", [], None)
    for name, value in (("cost-statement", BICYCLE), ("origin-assessment", found)):
        jsonschema_rs.validate(json.loads(co(capsys, "origin", "schema", name)[1]), value)


def test_goods_that_do_not_originate_exit_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kit = BICYCLE | {"materials": [{"hs": "871200", "value": "200.00", "origin": "CN"}]}
    code, out, _ = co(capsys, "origin", "assess", written(tmp_path, kit), "--form", "D")

    assert code == 1
    assert "Partial cumulation: PC 33.33%" in out
    assert "It needs 20 USD more of originating value." in out


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"fob": "0"}, "fob: The FOB value must be above zero."),
        ({"fob": "-300"}, "fob: The FOB value must be above zero."),
        (
            {"fob": "NaN"},
            'fob: The statement cannot be read here: write the number as text with digits and a point, such as "1250.50"',
        ),
        ({"fob": "1e400"}, "fob: The statement cannot be read here"),
        ({"fob": 300.1}, "fob: The statement cannot be read here"),
        ({"fob": "100"}, "materials, fob: The materials together cost 195 USD, more than the FOB value of 100 USD."),
        ({"hs": "87"}, "hs: 87 is not an HS code."),
        (
            {"materials": BICYCLE["materials"] * 10_000},
            "materials: A statement has at most 1000 materials. Put small materials",
        ),
        ({"discount": "1"}, "discount: The statement cannot be read here: Extra inputs are not permitted"),
    ],
)
def test_a_faulty_statement_exits_with_two_and_names_the_field(
    changed: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = co(capsys, "origin", "assess", written(tmp_path, BICYCLE | changed), "--form", "D")

    assert code == 2
    assert out.startswith(said)


def test_all_faults_are_printed_together_also_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = BICYCLE | {"fob": "-1", "hs": "87", "materials": [{"hs": "1", "value": "2", "origin": "QQ"}]}
    file = written(tmp_path, bad)

    code, out, _ = co(capsys, "origin", "assess", file, "--form", "D", "--claim", "PE", "--json")
    problems = json.loads(out)["problems"]

    assert code == 2
    assert {each["code"] for each in problems} == {
        "statement_fob_not_positive",
        "statement_hs_code_impossible",
        "statement_country_unknown",
        "origin_criterion_unknown",
    }
    assert {field for each in problems for field in each["fields"]} >= {
        "fob",
        "hs",
        "materials.0.hs",
        "materials.0.origin",
        "claim",
    }


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"hs": "871200"}', "\x00", "[" * 100_000])
def test_a_file_that_is_no_statement_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = co(capsys, "origin", "assess", written(tmp_path, text), "--form", "D")

    assert code == 2
    assert "cannot be read here" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--form", "X"), "No origin rules of Form X are in force"),
        (("--form", "D", "--on", "2010-01-01"), "No origin rules of Form D are in force on 2010-01-01"),
        (("--form", "D", "--on", "tomorrow"), "tomorrow is not a day"),
        (("--form", "D", "--rules", "nowhere.json"), "nowhere.json cannot be read"),
    ],
)
def test_a_form_a_day_or_a_file_that_is_not_there_is_refused(
    words: tuple[str, ...], said: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = co(capsys, "origin", "assess", file, *words)

    assert code == 2
    assert said in error


def test_a_statement_is_assessed_by_a_file_of_rules(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = co(capsys, "origin", "assess", file, "--form", "AI", "--rules", TESTS / "rules_ai.json")

    assert code == 0
    assert "Box 8: CTSH + 35%" in out


def test_a_claim_of_a_criterion_that_the_form_does_not_know_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        "Form D does not have this origin criterion" in co(capsys, "origin", "assess", file, "--form", "D", "--claim", "PE")[1]
    )
    assert "39.999 % is less" in co(capsys, "origin", "assess", file, "--form", "D", "--claim", "39.999%")[1]
    assert "Claimed: CTH: met" in co(capsys, "origin", "assess", file, "--form", "D", "--claim", "CTH")[1]


def test_the_rules_of_the_release_are_shown_where_no_system_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, error = co(capsys, "rules", "show", "--hs", "610910", "--root", tmp_path)

    assert code == 0
    assert "No system runs" in error
    assert "rule: RVC(40) or SP (ATIGA Annex 3, Attachment 1), its own rule" in out
    shown = json.loads(co(capsys, "rules", "show", "--form", "D", "--json", "--root", tmp_path)[1])
    assert [each["form"] for each in shown["rules"]] == ["D"]
    assert co(capsys, "rules", "show", "--form", "X", "--root", tmp_path)[0] == 2
    assert "2 to 11 digits" in co(capsys, "rules", "show", "--hs", "x", "--root", tmp_path)[2]


def test_a_faulty_file_of_rules_is_refused_with_each_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = json.loads((TESTS / "rules_ai.json").read_text())
    rules |= {"general_rule": {"rule": "RVC(35) & CTSH", "article": "x"}, "members": ["IN"]}
    file = written(tmp_path, rules)

    code, _, error = co(capsys, "rules", "load", file, "--root", tmp_path)

    assert code == 2
    assert "general_rule.rule: The rule cannot be read at position 9" in error
    assert "members: KH" in error
