"""The output of `co trace` for spans on disk."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli.commands.trace import bar, lines_of, trace
from cli.main import app
from cli.spans import certificate_of, kept_spans

REFERENCE = "D2026-PNH-000123"


def a_span(span_id: str, parent_id: str | None = None, *, start: int = 0, lasts: int = 1, **fields: Any) -> dict[str, Any]:
    """A span as a service writes it; times in ms."""
    present = {"trace_id": "a" * 32, "name": span_id, "service": "fees", "country": "KH", "error": None, "links": []}
    times = {"start_ns": start * 1_000_000, "end_ns": (start + lasts) * 1_000_000}
    return present | times | {"span_id": span_id, "parent_id": parent_id, "attributes": {}} | fields


def write(folder: Path, *spans: dict[str, Any], name: str = "kh-fees-1.jsonl", rest: str = "") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(span) + "\n" for span in spans) + rest)


def test_spans_are_below_their_parent_in_order_of_time(tmp_path: Path) -> None:
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


def test_a_span_without_a_stored_parent_is_shown_and_marked(tmp_path: Path) -> None:
    write(tmp_path, a_span("root"), a_span("child", "missing", start=1))

    assert [(line.name, line.orphan) for line in lines_of(list(kept_spans(tmp_path, "KH")))] == [
        ("root", False),
        ("child", True),
    ]


def test_the_bar_of_a_span_has_its_position_and_the_shortest_is_visible(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_span("root", lasts=100),
        a_span("half", "root", start=50, lasts=50),
        a_span("last", "root", start=100, lasts=0),
    )

    bars = [bar(line, 100.0) for line in lines_of(list(kept_spans(tmp_path, "KH")))]

    assert [(shown.begin, shown.end) for shown in bars] == [(0, 100), (50, 100), (97.5, 100)]


def test_a_certificate_is_found_by_number_and_by_id_also_in_rotated_files_and_after_a_truncated_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate = {"co.certificate.id": str(uuid4())}
    number = {"co.certificate.reference": REFERENCE}
    write(tmp_path, a_span("due IssueCertificate", attributes=certificate | number), name="kh-certificates-1.jsonl.1")
    write(tmp_path, a_span("on It", trace_id="b" * 32, attributes=certificate), rest='{"trace_id": "aaaa')
    write(tmp_path, a_span("of another", trace_id="c" * 32, attributes={"co.certificate.id": str(uuid4())}), name="z.jsonl")

    for reference in (REFERENCE, certificate["co.certificate.id"]):
        trace(reference, spans=tmp_path)

        output = capsys.readouterr().out
        assert ("due IssueCertificate" in output, "on It" in output, "of another" in output) == (True, True, False)


def test_a_trace_is_headed_by_its_name_its_time_and_the_trace_that_it_follows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former, latter, missing = "a" * 32, "b" * 32, "c" * 32
    certificate_id = str(uuid4())
    write(
        tmp_path,
        a_span("Approve", trace_id=latter, start=2500, attributes={"co.certificate.id": certificate_id}, links=[former]),
        a_span("Register", trace_id=former, links=[missing]),
    )

    trace(certificate_id, spans=tmp_path, json_file=tmp_path / "traces.json")

    output = capsys.readouterr().out
    assert f"Register  1970-01-01T00:00:00.000+00:00  trace {former}, follows a trace that is not stored cccccccc\n" in output
    assert f"Approve  1970-01-01T00:00:02.500+00:00  trace {latter}, follows Register aaaaaaaa\n" in output
    written = json.loads((tmp_path / "traces.json").read_text())
    assert [(act["act"], act["follows"], len(act["spans"])) for act in written] == [
        ("Register", [missing], 1),
        ("Approve", [former], 1),
    ]


def test_errors_are_red_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    certificate_id = str(uuid4())
    write(
        tmp_path,
        a_span("root", lasts=9, attributes={"co.certificate.id": certificate_id}),
        a_span("on It", "root", start=1, error="Refused"),
    )

    trace(certificate_id, spans=tmp_path)

    assert "\x1b[31m  on It Refused" in capsys.readouterr().out


def test_a_number_belongs_to_the_certificate_that_got_it_not_to_a_failed_attempt(tmp_path: Path) -> None:
    first, second = str(uuid4()), str(uuid4())
    number = {"co.certificate.reference": REFERENCE}
    write(
        tmp_path,
        a_span("failed", attributes=number | {"co.certificate.id": first}, error="OperationalError"),
        a_span("done", attributes=number | {"co.certificate.id": second}),
    )

    assert certificate_of(REFERENCE, kept_spans(tmp_path, "KH")) == second


@pytest.mark.parametrize("reference", [REFERENCE, "8efaadb2-307c-418a-ad22-ffc6188f3efb", "nonsense", ""])
def test_a_reference_without_spans_is_an_error(tmp_path: Path, reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "spans", a_span("root"))

    with pytest.raises(SystemExit) as ended:
        app(["trace", reference, "--root", str(tmp_path)])

    assert ended.value.code == 2
    error = f"co: There is no span of {reference} in {tmp_path / 'spans'}; old spans are deleted by rotation.\n"
    assert capsys.readouterr().err == error
