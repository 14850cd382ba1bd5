"""Files of a former system: how they are read, which rows are refused before they are sent, and the report."""

import codecs
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from cli.commands.imports import MAX_CHARACTERS, REGISTRATIONS, USERS, Importer, Kind, PromptedAuthenticator, app, batches_of
from cli.demo.accounts import Account, Authenticator
from cli.import_files import MAX_BYTES, Part, Row, columns, read_rows
from cli.import_report import print_report, write_report
from cli.target import CommandFailed
from shared.contracts.registry.importing import (
    MAX_ROWS,
    ImportedRegistration,
    ImportedUser,
    ImportRegistrations,
    RowOutcome,
    RowReport,
)
from shared.workers.requests import MAX_REQUEST
from tests.registry.former import a_former_company, a_former_person, a_former_user

EXAMPLES = Path(__file__).parents[2] / "examples" / "import"
DOCUMENT = Path(__file__).parents[2] / "docs" / "import.md"
HEADING = "former_id,tax_number,status,valid_from,valid_until,company_name,address,users.1.name,users.1.email,users.1.roles"
COMPANY = "M-1,K000-000001,active,2026-01-01,2026-12-31,Angkor Ltd.,Street 1,Chan Dara,dara@company.example,signatory preparer"


def written(tmp_path: Path, content: str | bytes, name: str = "companies.csv") -> Path:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def rows_of(
    tmp_path: Path, content: str | bytes, name: str = "companies.csv", kind: type[Part] = ImportedRegistration
) -> list[Row]:
    return read_rows(written(tmp_path, content, name), kind)


def refusals(rows: list[Row]) -> list[tuple[int, str | None, tuple[str, ...]]]:
    return [(row.number, row.report.code, row.report.fields) for row in rows if row.report]


@pytest.mark.parametrize("name", ["registrations.csv", "registrations.json", "registrations.jsonl"])
def test_the_same_companies_are_read_from_every_form(name: str) -> None:
    rows = read_rows(EXAMPLES / name, ImportedRegistration)

    assert refusals(rows) == []
    assert [row.part for row in rows] == [row.part for row in read_rows(EXAMPLES / "registrations.csv", ImportedRegistration)]
    part = rows[0].part
    assert isinstance(part, ImportedRegistration)
    assert part.company_name_km == "ក្រុមហ៊ុន អង្គរ កាត់ដេរ"
    assert [user.roles for user in part.users] == [("company_administrator", "signatory"), ("preparer",)]


def test_the_example_of_users_is_valid() -> None:
    assert refusals(read_rows(EXAMPLES / "users.csv", ImportedUser)) == []


@pytest.mark.parametrize("kind", [ImportedRegistration, ImportedUser])
def test_every_column_is_documented(kind: type[Part]) -> None:
    document = DOCUMENT.read_text()
    assert [column for column in columns(kind) if f"| `{column}` |" not in document] == []


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADING}\n{COMPANY}\n",
        f"{HEADING}\r\n{COMPANY}\r\n",
        codecs.BOM_UTF8 + f"{HEADING}\n{COMPANY}".encode(),
        f"{HEADING}\n{COMPANY}\n".replace(",", ";"),
        f"{HEADING}\n{COMPANY}\n".replace(",", "\t"),
        f"{HEADING}\n\n{COMPANY}\n,,,,,,,,,\n",
    ],
    ids=["plain", "Windows", "with a byte order mark", "semicolons", "tabs", "empty lines"],
)
def test_a_file_is_read_as_spreadsheets_write_it(tmp_path: Path, content: str | bytes) -> None:
    (row,) = rows_of(tmp_path, content)

    assert row.report is None
    assert isinstance(row.part, ImportedRegistration)
    assert (row.key, row.part.company_name) == ("M-1", "Angkor Ltd.")
    assert row.part.users[0].roles == ("preparer", "signatory")


INVALID_FILES: list[tuple[str, str | bytes, str]] = [
    ("companies.csv", b"", "lacks the columns"),
    ("companies.csv", HEADING, "There are no rows"),
    ("companies.csv", f"{HEADING},colour\n{COMPANY},red", "unknown columns: colour"),
    ("companies.csv", f"{HEADING},users.0.name\n{COMPANY},A", "unknown columns: users.0.name"),
    ("companies.csv", f"{HEADING},tax_number\n{COMPANY},K000-000001", "a column twice: tax_number"),
    ("companies.csv", HEADING.replace("tax_number,", "") + f"\n{COMPANY}", "lacks the columns tax_number."),
    ("companies.csv", f"{HEADING}\n{COMPANY}".encode("utf-16"), "not UTF-8 in line 1"),
    ("companies.csv", f"{HEADING}\n{COMPANY}\n".encode() + b"M-2,\xe9", "not UTF-8 in line 3"),
    ("companies.csv", f'{HEADING}\n"M-1,K000', "not CSV near line 2"),
    ("companies.json", "{", "is not JSON"),
    ("companies.json", "{}", "an array of objects"),
    ("companies.json", "[" * 200_000, "is not JSON"),
    ("companies.json", "[]", "There are no rows"),
    ("companies.jsonl", "\n\n", "There are no rows"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), INVALID_FILES, ids=[sentence for _, _, sentence in INVALID_FILES])
def test_an_invalid_file_is_refused(tmp_path: Path, name: str, content: str | bytes, sentence: str) -> None:
    with pytest.raises(CommandFailed, match=sentence):
        rows_of(tmp_path, content, name)


def test_a_missing_or_too_large_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be read: No such file"):
        read_rows(tmp_path / "nowhere.csv", ImportedRegistration)
    with (tmp_path / "huge.csv").open("wb") as huge:
        huge.truncate(MAX_BYTES + 1)
    with pytest.raises(CommandFailed, match="larger than 50 MB"):
        read_rows(tmp_path / "huge.csv", ImportedRegistration)


WRONG_CELLS: list[tuple[dict[str, str], str]] = [
    ({"company_name": "x" * 10_000}, "company_name"),
    ({"company_name": ""}, "company_name"),
    ({"company_name": "Angkor\x00Ltd."}, "company_name"),
    ({"address": "ផ" * 2001}, "address"),
    ({"tax_number": "K0"}, "tax_number"),
    ({"tax_number": "K" + "0" * 30}, "tax_number"),
    ({"status": "Active"}, "status"),
    ({"status": "applied"}, "status"),
    ({"valid_from": "01/01/2026"}, "valid_from"),
    ({"valid_until": "2026-02-30"}, "valid_until"),
    ({"valid_until": "1798675200"}, "valid_until"),
    ({"former_id": "x" * 81}, "former_id"),
    ({"users.1.email": "nobody"}, "users.1.email"),
    ({"users.1.roles": "signatory director"}, "users.1.roles.2"),
    ({"users.1.roles": ""}, "users.1.roles"),
    ({"users.1.name": "x" * 201}, "users.1.name"),
]


@pytest.mark.parametrize(("cells", "field"), WRONG_CELLS, ids=[f"{field}-{n}" for n, (_, field) in enumerate(WRONG_CELLS)])
def test_an_invalid_row_is_refused_with_its_number_and_field_and_the_others_are_not(
    tmp_path: Path, cells: dict[str, str], field: str
) -> None:
    other = COMPANY.replace("M-1", "M-2").replace("000001", "000002").replace("dara@", "other@")
    valid = dict(zip(HEADING.split(","), COMPANY.split(","), strict=True))
    file = tmp_path / "companies.csv"
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerows([HEADING.split(","), (valid | cells).values(), other.split(",")])

    rows = read_rows(file, ImportedRegistration)

    assert refusals(rows) == [(2, "malformed_row", (field,))]
    assert rows[0].report is not None
    assert str(rows[0].report.detail).startswith(f"{field}: ")
    assert [row.number for batch in batches_of(rows) for row in batch] == [3]


def test_a_line_with_too_many_cells_or_without_an_object_is_refused(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, f"{HEADING}\n{COMPANY},and more")
    assert row.report is not None
    assert row.report.detail == "11 cells under 10 columns"

    rows = rows_of(tmp_path, '[1]\n{"a"\nnull\n{"tax_number": 7, "colour": 1}', "companies.jsonl")

    assert [row.report.code for row in rows if row.report] == ["malformed_row"] * 4
    assert rows[3].report is not None
    assert {"tax_number", "colour", "status"} <= set(rows[3].report.fields)


def test_a_unique_value_is_accepted_once_in_a_file(tmp_path: Path) -> None:
    one = a_former_company(users=[a_former_person(email="same@company.example")])
    person = a_former_person()
    companies = [
        one,
        a_former_company(former_id=one.former_id),
        a_former_company(tax_number=one.tax_number),
        a_former_company(users=[a_former_person(email="Same@company.example")]),
        a_former_company(users=[person, a_former_person(former_id=person["former_id"])]),
        a_former_company(),
    ]

    rows = rows_of(tmp_path, "\n".join(company.model_dump_json() for company in companies), "companies.jsonl")

    assert refusals(rows) == [
        (2, "row_repeated", ("former_id",)),
        (3, "row_repeated", ("tax_number",)),
        (4, "row_repeated", ("users.1.email",)),
        (5, "row_repeated", ("users.2.former_id",)),
    ]
    details = [row.report.detail for row in rows if row.report]
    assert details[0] == "Row 1 has the same former_id."
    assert details[3] == "Another user of this row has the same former_id."


def test_the_users_of_a_company_are_sent_together_and_refused_together() -> None:
    rows = [Row(number, "", a_former_user()) for number in range(MAX_ROWS - 1)]
    rows += [Row(number, "", a_former_user(roles=["preparer"], company_tax_number="K000-000001")) for number in (500, 501)]
    wrong = [Row(number, "", a_former_user(roles=["preparer"], company_tax_number="K000-000002")) for number in (600, 601)]
    wrong[0].refuse("malformed_row", "name: too long", "name")
    many = [Row(700, "", a_former_user(roles=["preparer"], company_tax_number="K000-000003")) for _ in range(MAX_ROWS + 1)]

    batches = list(batches_of([*rows, *wrong, *many]))

    assert [len(batch) for batch in batches] == [MAX_ROWS - 1, 2]
    assert [row.report.code for row in wrong if row.report] == ["malformed_row", "colleague_refused"]
    assert {row.report.code for row in many if row.report} == {"too_many_together"}


def test_a_command_with_the_largest_rows_fits_into_a_message_of_the_bus() -> None:
    khmer: dict[str, Any] = {
        "company_name_km": "ក" * 200,
        "address": "x" * 2000,
        "address_km": "\n".join("ក" * 9 for _ in range(200)),
        "reason": "ក" * 2000,
        "representative": {"name": "ក" * 200, "name_km": "ក" * 200, "position": "ក" * 200},
        "users": [a_former_person(name="ក" * 200) for _ in range(20)],
    }
    rows = [Row(number, "", a_former_company(**khmer)) for number in range(MAX_ROWS)]

    batches = list(batches_of(rows))

    assert sum(len(batch) for batch in batches) == MAX_ROWS
    commands = [ImportRegistrations(registrations=[row.part for row in batch]) for batch in batches]
    assert max(len(command.model_dump_json().encode()) for command in commands) < MAX_REQUEST
    assert max(len(command.model_dump_json()) for command in commands) > MAX_CHARACTERS * 0.8


def some_reports() -> list[Row]:
    refused = RowReport(outcome=RowOutcome.REFUSED, code="tax_number_taken", detail="ពន្ធ [taken].", fields=("tax_number",))
    return [
        Row(2, "=1+1", report=RowReport(outcome=RowOutcome.IMPORTED)),
        Row(3, "M-3", report=refused),
        Row(4, "M-4", report=RowReport(outcome=RowOutcome.DIFFERENT, fields=("phone",))),
        Row(5, "M-5"),
    ]


def test_every_row_is_in_the_report(tmp_path: Path) -> None:
    write_report(some_reports(), tmp_path / "report.csv")
    write_report(some_reports(), tmp_path / "report.json")

    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.DictReader(opened))
    assert [line["outcome"] for line in lines] == ["imported", "refused", "different", "not_sent"]
    assert lines[0]["key"] == "'=1+1"
    assert lines[1]["detail"] == "ពន្ធ [taken]."
    assert (tmp_path / "report.csv").read_bytes().startswith(codecs.BOM_UTF8)
    assert json.loads((tmp_path / "report.json").read_text())[1] == {
        "row": 3,
        "key": "M-3",
        "outcome": "refused",
        "id": "",
        "code": "tax_number_taken",
        "fields": "tax_number",
        "detail": "ពន្ធ [taken].",
    }


def test_the_terminal_shows_the_number_of_rows_of_each_outcome_and_the_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(some_reports(), dry_run=True)

    output = capsys.readouterr().out
    assert "would be imported" in output
    assert "not sent" in output
    assert "ពន្ធ [taken]." in output
    assert "changed since its import" in output


async def test_a_password_is_read_from_a_file_and_codes_are_prompted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password = written(tmp_path, "a long passphrase \n", "password")
    monkeypatch.setattr("builtins.input", lambda prompt: " 123456 ")

    account = Importer("administrator@ministry.example", password).account()

    assert isinstance(account, Account)
    assert account.password == "a long passphrase "
    assert isinstance(account.authenticator, PromptedAuthenticator)
    assert (account.authenticator.set_up, await account.authenticator.code()) == (True, "123456")
    with pytest.raises(CommandFailed, match="no second factor yet"):
        account.authenticator.set_secret("otpauth://totp/x?secret=A")
    of_file = Importer("a@b", password, tmp_path / "authenticator").account().authenticator
    assert type(of_file) is Authenticator
    with pytest.raises(CommandFailed, match="cannot be read"):
        Importer("a@b", tmp_path / "nowhere").account()


@pytest.mark.parametrize(("word", "kind"), [("registrations", REGISTRATIONS), ("users", USERS)])
def test_companies_and_people_are_imported_with_the_same_options(word: str, kind: Kind) -> None:
    words = [word, "file.csv", "--email", "a@b", "--dry-run", "--invite", "--report", "report.csv"]

    command, bound, _ = app.parse_args(words, exit_on_error=False)

    assert command == kind.import_file
    options = {"by": Importer("a@b"), "dry_run": True, "invite": True, "report": Path("report.csv")}
    assert (bound.args, bound.kwargs) == ((Path("file.csv"),), options)
