"""`co trace`: every request about a certificate and its consequences, as a waterfall."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from rich.bar import Bar
from rich.markup import escape

from cli.output import page, plain, table
from cli.spans import KeptSpan, certificate_of, kept_spans, spans_about, traces_of
from cli.target import CommandFailed
from deploy.embedded.layout import HOME, Layout

BAR = 40
"""The length of the bar of a complete trace, in characters, if the terminal is wide enough."""
NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Line:
    """One span in its trace. `start_ms`: since the start of the trace; `orphan`: its parent span is not stored."""

    depth: int
    service: str
    name: str
    start_ms: float
    lasted_ms: float
    error: str | None
    orphan: bool


@dataclass(frozen=True)
class Waterfall:
    """One trace: a request and its consequences. `began`: UTC; `follows`: the ids of the earlier traces that it links to."""

    trace_id: str
    act: str
    began: str
    follows: tuple[str, ...]
    spans: list[Line]


def trace(
    reference: str,
    *,
    root: Path = Path("var"),
    spans: Path | None = None,
    json_file: Annotated[Path | None, Parameter("--json")] = None,
) -> None:
    """Show every request about a certificate and its consequences in all services, with the times.

    Parameters
    ----------
    reference
        The certificate's number, such as D2026-PNH-000123, or its id.
    root
        The folder of the run, with its spans. The system need not run.
    spans
        Another folder of spans.
    json_file
        The file for the traces, as JSON.
    """
    folder, home = spans or Layout(root).spans_dir, _home(root)
    certificate_id = _as_id(reference) or certificate_of(reference, kept_spans(folder, home, text=reference))
    traces = traces_of(certificate_id, spans_about(certificate_id, folder, home)) if certificate_id else {}
    if not traces:
        raise CommandFailed(f"There is no span of {reference} in {folder}; old spans are deleted by rotation.")
    waterfalls = [waterfall(members) for members in traces.values()]
    if json_file:
        json_file.write_text(json.dumps([asdict(shown) for shown in waterfalls], indent=2) + "\n")
    acts = {shown.trace_id: shown.act for shown in waterfalls}
    for shown in waterfalls:
        _print(shown, acts)


def _home(root: Path) -> str:
    return Layout.of_running(root).country if (root / "stack.json").exists() else HOME


def _as_id(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def waterfall(members: list[KeptSpan]) -> Waterfall:
    """The waterfall of the spans of one trace."""
    lines = lines_of(members)
    return Waterfall(
        trace_id=members[0].trace_id,
        act=lines[0].name,
        began=datetime.fromtimestamp(min(span.start_ns for span in members) / 1e9, UTC).isoformat(timespec="milliseconds"),
        follows=tuple(sorted({link for span in members for link in span.links})),
        spans=lines,
    )


def lines_of(members: list[KeptSpan]) -> list[Line]:
    """The spans of one trace as lines, each below its parent."""
    began = min(span.start_ns for span in members)
    ids = {span.span_id for span in members}
    below: dict[str | None, list[KeptSpan]] = defaultdict(list)
    for span in sorted(members, key=lambda span: span.start_ns):
        below[span.parent_id if span.parent_id in ids else None].append(span)

    def walk(parent: str | None, depth: int) -> Iterator[Line]:
        for span in below[parent]:
            yield Line(
                depth=depth,
                service=span.service,
                name=span.name,
                start_ms=(span.start_ns - began) / NS_PER_MS,
                lasted_ms=(span.end_ns - span.start_ns) / NS_PER_MS,
                error=span.error,
                orphan=parent is None and span.parent_id is not None,
            )
            yield from walk(span.span_id, depth + 1)

    return list(walk(None, 0))


def _print(shown: Waterfall, acts: dict[str, str]) -> None:
    former = ", ".join(f"{acts.get(link, 'a trace that is not stored')} {link[:8]}" for link in shown.follows)
    follows = f", follows {former}" if former else ""
    plain().print(f"\n{shown.act}  {shown.began}  trace {shown.trace_id}{follows}")
    lines = table("service", "span", right=("start ms", "lasted ms"))
    for column in lines.columns:
        column.no_wrap = True  # a narrow terminal shortens the bars first
    lines.add_column("", max_width=BAR)
    total_ms = max(line.start_ms + line.lasted_ms for line in shown.spans) or 1.0
    for line in shown.spans:
        label = escape("  " * line.depth + line.name) + (" [dim](its parent is not stored)[/]" if line.orphan else "")
        if line.error:
            label = f"[red]{label} {escape(line.error)}[/]"
        lines.add_row(line.service, label, f"{line.start_ms:.1f}", f"{line.lasted_ms:.1f}", bar(line, total_ms))
    page().print(lines)


def bar(line: Line, total_ms: float) -> Bar:
    """The position of a span in its trace of `total_ms`. The shortest span is still visible."""
    least = total_ms / BAR
    begin = min(line.start_ms, total_ms - least)
    return Bar(total_ms, begin, max(line.start_ms + line.lasted_ms, begin + least), color="red" if line.error else "default")
