"""`co trace`: every act on a certificate and what followed from it, as a waterfall."""

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
"""Characters of the bar of a whole trace, where the terminal is wide enough."""
NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Line:
    """One span in its trace. `start_ms`: since the trace began; `orphan`: the span that it came from is not kept."""

    depth: int
    service: str
    name: str
    start_ms: float
    lasted_ms: float
    error: str | None
    orphan: bool


@dataclass(frozen=True)
class Waterfall:
    """One act and what followed from it. `began`: UTC; `follows`: the traces of the former acts that it is linked to."""

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
    """Show every act on a certificate and what followed from it, service by service, with the times.

    Parameters
    ----------
    reference
        The certificate's number, such as D2026-PNH-000123, or its id.
    root
        Where the system keeps its spans; it need not run.
    spans
        The folder of the spans, where they are kept elsewhere.
    json_file
        Where to write the traces, for programs.
    """
    folder, home = spans or Layout(root).spans_dir, _home(root)
    certificate_id = _as_id(reference) or certificate_of(reference, kept_spans(folder, home, text=reference))
    traces = traces_of(certificate_id, spans_about(certificate_id, folder, home)) if certificate_id else {}
    if not traces:
        raise CommandFailed(f"No span of {reference} is kept in {folder}; old ones are rotated away.")
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
    """One trace as it is shown."""
    lines = lines_of(members)
    return Waterfall(
        trace_id=members[0].trace_id,
        act=lines[0].name,
        began=datetime.fromtimestamp(min(span.start_ns for span in members) / 1e9, UTC).isoformat(timespec="milliseconds"),
        follows=tuple(sorted({link for span in members for link in span.links})),
        spans=lines,
    )


def lines_of(members: list[KeptSpan]) -> list[Line]:
    """The spans of one trace, each below the one it came from."""
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
    former = ", ".join(f"{acts.get(link, 'an act that is not kept')} {link[:8]}" for link in shown.follows)
    follows = f", follows {former}" if former else ""
    plain().print(f"\n{shown.act}  {shown.began}  trace {shown.trace_id}{follows}")
    lines = table("service", "span", right=("start ms", "lasted ms"))
    for column in lines.columns:
        column.no_wrap = True  # a narrow terminal costs the bars their length first
    lines.add_column("", max_width=BAR)
    whole = max(line.start_ms + line.lasted_ms for line in shown.spans) or 1.0
    for line in shown.spans:
        said = escape("  " * line.depth + line.name) + (" [dim](what it came from is not kept)[/]" if line.orphan else "")
        if line.error:
            said = f"[red]{said} {escape(line.error)}[/]"
        lines.add_row(line.service, said, f"{line.start_ms:.1f}", f"{line.lasted_ms:.1f}", bar(line, whole))
    page().print(lines)


def bar(line: Line, whole_ms: float) -> Bar:
    """Where a span lies in its trace of so many ms; the shortest is still seen."""
    least = whole_ms / BAR
    begin = min(line.start_ms, whole_ms - least)
    return Bar(whole_ms, begin, max(line.start_ms + line.lasted_ms, begin + least), color="red" if line.error else "default")
