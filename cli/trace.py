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
from rich.markup import escape

from cli.printing import page, plain, table
from cli.reach import CommandFailed
from cli.traces import KeptSpan, certificate_of, kept_spans, traces_of
from deploy.embedded.layout import HOME, Layout

BAR = 40
"""Characters of the bar of a whole trace."""
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
    folder = spans or Layout(root).spans_dir
    kept = list(kept_spans(folder, _home(root)))
    certificate_id = _as_id(reference) or certificate_of(reference, kept)
    traces = traces_of(certificate_id, kept) if certificate_id else {}
    if not traces:
        raise CommandFailed(f"No span of {reference} is kept in {folder}; old ones are rotated away.")
    if json_file:
        rows = {name: [asdict(line) for line in lines_of(members)] for name, members in traces.items()}
        json_file.write_text(json.dumps(rows, indent=2) + "\n")
    for name, members in traces.items():
        _print(name, members, known=set(traces))


def _home(root: Path) -> str:
    return Layout.of_running(root).country if (root / "stack.json").exists() else HOME


def _as_id(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


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


def _print(name: str, members: list[KeptSpan], known: set[str]) -> None:
    lines = lines_of(members)
    began = datetime.fromtimestamp(min(span.start_ns for span in members) / 1e9, UTC)
    follows = sorted({link[:8] for span in members for link in span.links if link in known})
    after = f", follows {', '.join(follows)}" if follows else ""
    plain().print(f"\n{lines[0].name}  {began:%Y-%m-%d %H:%M:%S.%f} UTC  trace {name}{after}")
    shown = table("service", "span", right=("start ms", "lasted ms"))
    shown.add_column("")
    whole = max(line.start_ms + line.lasted_ms for line in lines) or 1.0
    for line in lines:
        said = escape("  " * line.depth + line.name) + (" [dim](what it came from is not kept)[/]" if line.orphan else "")
        if line.error:
            said = f"[red]{said} {escape(line.error)}[/]"
        shown.add_row(line.service, said, f"{line.start_ms:.1f}", f"{line.lasted_ms:.1f}", bar(line, whole))
    page().print(shown)


def bar(line: Line, whole_ms: float) -> str:
    """Where a span lies in its trace of so many ms."""
    before = int(line.start_ms / whole_ms * BAR)
    return " " * before + "█" * max(1, round(line.lasted_ms / whole_ms * BAR))
