"""What became of every row of an import: in a file for whoever corrects it, and in short on the terminal."""

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
"""It broke off before; some of these may have come over all the same: done again, it says so."""
COLUMNS = ("row", "key", "outcome", "id", "code", "fields", "detail")


def write_report(rows: list[Row], file: Path) -> None:
    """One line for each row, in their order: CSV that a spreadsheet opens with its Khmer, or JSON."""
    lines = [dict(zip(COLUMNS, _line(row), strict=True)) for row in rows]
    if file.suffix.lower() == ".json":
        file.write_text(json.dumps(lines, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return
    text = StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in line.items()} for line in lines)
    file.write_text(text.getvalue(), encoding="utf-8-sig", newline="")


def print_report(rows: list[Row], *, dry_run: bool) -> None:
    """How many rows came to what, and the reasons of refusals with the first row of each."""
    console = page()
    outcomes = Counter(str(_line(row)[2]) for row in rows)
    shown = table("outcome", right=("rows",))
    for outcome in (*RowOutcome, NOT_SENT):
        if outcomes[outcome] or outcome is RowOutcome.IMPORTED:
            would = "would be " if dry_run and outcome is RowOutcome.IMPORTED else ""
            shown.add_row(f"{would}{outcome}".replace("_", " "), f"{outcomes[outcome]:,}")
    console.print(shown)
    for outcome in (RowOutcome.REFUSED, RowOutcome.DIFFERENT):
        reasons = table(f"\n{outcome}: why", "first in row", "its fields", "in words", right=("rows",))
        found: dict[str, list[Row]] = {}
        for row in rows:
            if row.report and row.report.outcome is outcome:
                found.setdefault(row.report.code or "changed since it came over", []).append(row)
        for why, some in found.items():
            first = some[0].report
            assert first
            fields = escape(", ".join(first.fields[:5]))
            reasons.add_row(why, str(some[0].number), fields, escape(first.detail or "left alone"), f"{len(some):,}")
        if found:
            console.print(reasons)


def _line(row: Row) -> tuple[object, ...]:
    report = row.report
    if report is None:
        return (row.number, row.key, NOT_SENT, "", "", "", "")
    told = (str(report.id or ""), report.code or "", " ".join(report.fields), report.detail or "")
    return (row.number, row.key, report.outcome.value, *told)


def _harmless(value: object) -> object:
    """What a spreadsheet would take for a formula is shown as it is."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
