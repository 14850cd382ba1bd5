"""Reports the result of an import: every row in a file, and a summary on the terminal."""

import csv
import json
from collections import Counter
from io import StringIO
from pathlib import Path

from rich.markup import escape

from cli.import_files import Row
from cli.output import page, table
from shared.contracts.registry.importing import RowOutcome

NOT_SENT = "not_sent"
"""The import stopped before this row. A row of the last batch may still be imported; the next run reports it."""
COLUMNS = ("row", "key", "outcome", "id", "code", "fields", "detail")


def write_report(rows: list[Row], file: Path) -> None:
    """Writes one line for each row, in order. CSV starts with a byte order mark, so that a spreadsheet shows Khmer; or JSON."""
    lines = [dict(zip(COLUMNS, _line(row), strict=True)) for row in rows]
    if file.suffix.lower() == ".json":
        file.write_text(json.dumps(lines, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return
    text = StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _escaped(value) for name, value in line.items()} for line in lines)
    file.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


def print_report(rows: list[Row], *, dry_run: bool) -> None:
    """Prints the number of rows for each outcome, and the reasons of refusals with the first row of each."""
    console = page()
    outcomes = Counter(str(_line(row)[2]) for row in rows)
    shown = table("outcome", right=("rows",))
    for outcome in (*RowOutcome, NOT_SENT):
        if outcomes[outcome] or outcome is RowOutcome.IMPORTED:
            would = "would be " if dry_run and outcome is RowOutcome.IMPORTED else ""
            shown.add_row(f"{would}{outcome}".replace("_", " "), f"{outcomes[outcome]:,}")
    console.print(shown)
    for outcome in (RowOutcome.REFUSED, RowOutcome.DIFFERENT):
        reasons = table(f"\n{outcome}: reason", "first row", "its fields", "detail", right=("rows",))
        found: dict[str, list[Row]] = {}
        for row in rows:
            if row.report and row.report.outcome is outcome:
                found.setdefault(row.report.code or "changed since its import", []).append(row)
        for why, some in found.items():
            first = some[0].report
            assert first
            fields = escape(", ".join(first.fields[:5]))
            reasons.add_row(why, str(some[0].number), fields, escape(first.detail or "not changed"), f"{len(some):,}")
        if found:
            console.print(reasons)


def _line(row: Row) -> tuple[object, ...]:
    report = row.report
    if report is None:
        return (row.number, row.key, NOT_SENT, "", "", "", "")
    rest = (str(report.id or ""), report.code or "", " ".join(report.fields), report.detail or "")
    return (row.number, row.key, report.outcome.value, *rest)


def _escaped(value: object) -> object:
    """Prevents a spreadsheet from evaluating a text as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
