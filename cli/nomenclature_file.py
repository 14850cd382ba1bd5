"""Reads an edition of the nomenclature: CSV with the columns `hscode` and `description`; others are ignored."""

import csv
from io import StringIO
from pathlib import Path

from pydantic import ValidationError

from cli.target import CommandFailed
from shared.contracts.certificates.nomenclature import MAX_LINES, NomenclatureLine

MAX_BYTES = 20 * 1024 * 1024
CODE, DESCRIPTION = "hscode", "description"
TOTAL = "TOTAL"
"""The row for all goods in the open data set: it is no line of the nomenclature."""


def read_lines(file: Path) -> list[NomenclatureLine]:
    """The lines of a file, in the order of their codes. Raises CommandFailed, which names the first wrong line."""
    records = csv.DictReader(StringIO(_text_of(file), newline=""), strict=True)
    found: dict[str, NomenclatureLine] = {}
    try:
        if missing := [name for name in (CODE, DESCRIPTION) if name not in (records.fieldnames or ())]:
            raise CommandFailed(f"{file} has no column {', '.join(missing)}.")
        for record in records:
            if record[CODE] == TOTAL:
                continue
            line = _line(file, records.line_num, record)
            if line.code in found:
                raise CommandFailed(f"{file}, line {records.line_num}: the code {line.code} is there twice.")
            found[line.code] = line
    except csv.Error as error:
        raise CommandFailed(f"{file} is not CSV near line {records.line_num}: {error}.") from None
    if not found:
        raise CommandFailed(f"There are no lines in {file}.")
    if len(found) > MAX_LINES:
        raise CommandFailed(f"{file} has {len(found):,} lines; an edition may have {MAX_LINES:,}.")
    return sorted(found.values(), key=lambda line: line.code)


def _line(file: Path, number: int, record: dict[str, str]) -> NomenclatureLine:
    code = (record[CODE] or "").replace(".", "").replace(" ", "")
    try:
        return NomenclatureLine(code=code, description=record[DESCRIPTION] or "")
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        wrong = "the code must have 2, 4, 6 or 8 to 11 digits" if fault["loc"] == ("code",) else fault["msg"]
        raise CommandFailed(f"{file}, line {number}: {fault['loc'][0]}: {wrong}.") from None


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CommandFailed(f"{file} is larger than {MAX_BYTES // 1024**2} MB.")
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is not UTF-8: save it as UTF-8.") from None
