"""What `co trace` makes of the spans on disk."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli.reach import CommandFailed
from cli.trace import bar, lines_of, trace
from cli.traces import kept_spans

REFERENCE = "D2026-PNH-000123"


def a_span(span_id: str, parent_id: str | None = None, *, start: int = 0, lasts: int = 1, **fields: Any) -> dict[str, Any]:
    """A line as a service writes it; times in ms."""
    present = {"trace_id": "a" * 32, "name": span_id, "service": "fees", "country": "KH", "error": None, "links": []}
    times = {"start_ns": start * 1_000_000, "end_ns": (start + lasts) * 1_000_000}
    return present | times | {"span_id": span_id, "parent_id": parent_id, "attributes": {}} | fields


def write(folder: Path, *spans: dict[str, Any], name: str = "kh-fees-1.jsonl", rest: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(span) + "\n" for span in spans) + rest)


def test_spans_stand_below_the_one_they_came_from_in_order_of_time(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_span("late", "root", start=5),
        a_span("root", lasts=9),
        a_span("early", "root", start=2),
        a_span("leaf", "early", start=3),
    )

    lines = lines_of(list(kept_spans(tmp_path, "KH")))

    assert [(line.depth, line.name, line.start_ms) for line in lines] == [
        (0, "root", 0),
        (1, "early", 2),
        (2, "leaf", 3),
        (1, "late", 5),
    ]


def test_a_span_whose_parent_is_not_kept_is_shown_and_marked(tmp_path: Path) -> None:
    write(tmp_path, a_span("root"), a_span("child", "gone", start=1))

    assert [(line.name, line.orphan) for line in lines_of(list(kept_spans(tmp_path, "KH")))] == [
        ("root", False),
        ("child", True),
    ]


def test_the_bar_of_a_span_lies_where_it_was(tmp_path: Path) -> None:
    write(tmp_path, a_span("root", lasts=100), a_span("half", "root", start=50, lasts=50))

    whole, half = (bar(line, 100.0) for line in lines_of(list(kept_spans(tmp_path, "KH"))))

    assert (whole, half) == ("█" * 40, " " * 20 + "█" * 20)


def test_a_certificate_is_found_by_its_number_in_rotated_files_too_and_errors_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = {"co.certificate.id": str(uuid4())}
    number = {"co.certificate.reference": REFERENCE}
    write(tmp_path, a_span("due IssueCertificate", attributes=certificate | number), name="kh-certificates-1.jsonl.1")
    write(tmp_path, a_span("on It", trace_id="b" * 32, attributes=certificate, error="Refused"), rest='{"trace_id": "aaaa')

    trace(REFERENCE, spans=tmp_path, json_file=tmp_path / "traces.json")
    trace(certificate["co.certificate.id"], spans=tmp_path)

    said = capsys.readouterr().out
    assert said.count("due IssueCertificate") == 4
    assert "on It Refused" in said
    assert set(json.loads((tmp_path / "traces.json").read_text())) == {"a" * 32, "b" * 32}


@pytest.mark.parametrize("reference", [REFERENCE, str(uuid4()), "nonsense", ""])
def test_a_reference_of_which_nothing_is_kept_is_said_to_be_so(tmp_path: Path, reference: str) -> None:
    write(tmp_path, a_span("root"))

    with pytest.raises(CommandFailed, match="old ones are rotated away"):
        trace(reference, spans=tmp_path)
