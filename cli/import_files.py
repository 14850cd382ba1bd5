"""Reads files of a former system: CSV with a heading, JSON, or JSON lines. Each row is validated before it is sent."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from cli.target import CommandFailed
from shared.contracts.certificates.importing import ImportedCertificate, ImportedProduct
from shared.contracts.registry.importing import ImportedPerson, ImportedRegistration, ImportedUser, RowOutcome, RowReport

MAX_BYTES = 50 * 1024 * 1024
MAX_ROWS_OF_A_FILE = 100_000
DELIMITERS = ",;\t"
INDEX = re.compile(r"\.[1-9][0-9]{0,2}(?=\.|$)")
"""The index of one of several, as in `users.2.name`. It starts at 1."""

Part = ImportedRegistration | ImportedUser | ImportedProduct | ImportedCertificate


@dataclass
class Row:
    """One row of a file: its number in the spreadsheet, its valid content, and the report of its import."""

    number: int
    key: str
    part: Part | None = None
    report: RowReport | None = None

    @property
    def company(self) -> str | None:
        """The tax number of the company of this user. All users of a company are imported together."""
        return self.part.company_tax_number if isinstance(self.part, ImportedUser) else None

    def refuse(self, code: str, detail: str, *fields: str) -> None:
        """Marks the row as refused: it is not imported."""
        self.report = RowReport(outcome=RowOutcome.REFUSED, code=code, detail=detail, fields=fields)


def read_rows(file: Path, kind: type[Part]) -> list[Row]:
    """All rows of a file. Malformed and duplicate rows are refused. Raises CommandFailed if the file cannot be read."""
    text = _text_of(file)
    rows = [_validated(number, record, kind) for number, record in _RECORDS.get(file.suffix.lower(), _csv)(file, text, kind)]
    if not rows:
        raise CommandFailed(f"There are no rows in {file}.")
    if len(rows) > MAX_ROWS_OF_A_FILE:
        raise CommandFailed(f"{file} has {len(rows):,} rows; one file may have {MAX_ROWS_OF_A_FILE:,}: split it.")
    _refuse_duplicates(rows)
    return rows


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CommandFailed(f"{file} is larger than {MAX_BYTES // 1024**2} MB: split it.")
        content = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandFailed(f"{file} is not UTF-8 in line {line}: save it as UTF-8.") from None


def _csv(file: Path, text: str, kind: type[Part]) -> Iterator[tuple[int, Any]]:
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    csv.field_size_limit(MAX_BYTES)
    records = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        heading = [name.strip() for name in next(records, [])]
        _check_heading(file, heading, kind)
        for number, cells in enumerate(records, start=2):
            if any(cell.strip() for cell in cells):
                yield number, _nested(heading, cells)
    except csv.Error as error:
        raise CommandFailed(f"{file} is not CSV near line {records.line_num}: {error}.") from None


def _json(file: Path, text: str, kind: type[Part]) -> Iterator[tuple[int, Any]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"{file} is not JSON: {error}.") from None
    if not isinstance(found, list):
        raise CommandFailed(f"{file} must contain an array of objects. For one object on each line use a .jsonl file.")
    yield from enumerate(found, start=1)


def _json_lines(file: Path, text: str, kind: type[Part]) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, line


_RECORDS = {".json": _json, ".jsonl": _json_lines, ".ndjson": _json_lines}


def columns(kind: type[BaseModel], before: str = "") -> Iterator[str]:
    """The columns of a file of this kind. `N` stands for an index."""
    for name, field in kind.model_fields.items():
        if found := [part for part in _within(field.annotation) if issubclass(part, BaseModel)]:
            several = ".N" if get_origin(field.annotation) is tuple else ""
            yield from columns(found[0], f"{before}{name}{several}.")
        else:
            yield f"{before}{name}"


def _within(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for inner in get_args(annotation):
        yield from _within(inner)


def _check_heading(file: Path, heading: list[str], kind: type[Part]) -> None:
    known = set(columns(kind))
    if unknown := [name for name in heading if INDEX.sub(".N", name) not in known]:
        raise CommandFailed(f"{file} has unknown columns: {', '.join(unknown)[:200]}. docs/import.md lists all columns.")
    if duplicates := [name for name, times in Counter(heading).items() if times > 1]:
        raise CommandFailed(f"{file} has a column twice: {', '.join(duplicates)[:200]}.")
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    if lacking := sorted(required - set(heading)):
        raise CommandFailed(f"{file} lacks the columns {', '.join(lacking)}.")


def _nested(heading: list[str], cells: list[str]) -> Any:
    """The object of a CSV line: `users.1.name` becomes the name of the first user. A string is an error message."""
    if len(cells) > len(heading):
        return f"{len(cells)} cells under {len(heading)} columns"
    nested: dict[str, Any] = {}
    for name, cell in zip(heading, cells, strict=False):
        if not cell.strip():
            continue
        *path, last = name.split(".")
        at = nested
        for step in path:
            at = at.setdefault(step, {})
        at[last] = re.split(r"[\s,;]+", cell.strip()) if last == "roles" else cell
    for name, value in nested.items():
        if isinstance(value, dict) and all(number.isdecimal() for number in value):
            nested[name] = [each for _, each in sorted(value.items(), key=lambda numbered: int(numbered[0]))]
    return nested


def _validated(number: int, record: Any, kind: type[Part]) -> Row:
    if not isinstance(record, dict):
        row = Row(number, "")
        row.refuse(
            "malformed_row", record if " cells under " in str(record) else "This is not an object with names and values."
        )
        return row
    names = (record.get(name) for name in ("former_id", "tax_number", "email", "reference"))
    row = Row(number, next((name.strip()[:80] for name in names if isinstance(name, str) and name.strip()), ""))
    try:
        row.part = kind.model_validate(record)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        fields = tuple(dict.fromkeys(_field(fault["loc"]) for fault in faults))[:50]
        rest = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
        why = "does not have the format of docs/import.md" if "pattern" in faults[0]["type"] else faults[0]["msg"]
        row.refuse("malformed_row", f"{fields[0]}: {why}{rest}."[:500], *fields)
    return row


def _field(location: tuple[int | str, ...]) -> str:
    steps = (str(step + 1) if isinstance(step, int) else step for step in location)
    return ".".join(steps)[:200] or "row"


def _refuse_duplicates(rows: list[Row]) -> None:
    """Refuses rows with a unique value of an earlier row."""
    first_in: dict[tuple[str, str], int] = {}
    for row in rows:
        own: set[tuple[str, str]] = set()
        for field, what, value in _unique_fields(row.part):
            if (what, value) in first_in or (what, value) in own:
                where = f"Row {first_in[what, value]}" if (what, value) in first_in else "Another user of this row"
                row.refuse("row_repeated", f"{where} has the same {field.rpartition('.')[2]}.", field)
                break
            own.add((what, value))
        else:
            first_in |= dict.fromkeys(own, row.number)


def _unique_fields(part: Part | None) -> Iterator[tuple[str, str, str]]:
    """The fields whose values must be unique: the field, its kind, the value."""
    people: list[tuple[str, ImportedPerson | ImportedUser]] = []
    if isinstance(part, ImportedRegistration):
        yield "tax_number", "tax number", part.tax_number
        yield "former_id", "company", part.former_id or part.tax_number
        people = [(f"users.{number}.", user) for number, user in enumerate(part.users, start=1)]
    elif isinstance(part, ImportedUser):
        people = [("", part)]
    elif isinstance(part, ImportedProduct):
        yield "former_id", "product", part.former_id
    elif part:
        yield "reference", "certificate", part.former_id or part.reference
    for at, person in people:
        yield f"{at}email", "email", person.email
        yield f"{at}former_id", "person", person.former_id or person.email
