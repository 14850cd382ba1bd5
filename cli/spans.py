"""The spans that the embedded run keeps on disk, joined to the traces of a certificate."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.observability.tracing import CERTIFICATE_ID, CERTIFICATE_REFERENCE, MESSAGE_ID

TRACE_ID = slice(len('{"trace_id": "'), len('{"trace_id": "') + 32)
"""Where a line has the id of its trace: most lines are of other traces, and to parse 100 MB of them takes 5 s."""


@dataclass(frozen=True)
class KeptSpan:
    """One span as it stands on disk."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    service: str
    """The service, with the country behind it where it is a partner's."""
    start_ns: int
    end_ns: int
    error: str | None
    certificate_id: str | None
    links: tuple[str, ...]
    reference: str | None = None
    message_id: str | None = None


def kept_spans(folder: Path, home: str, *, text: str = "", traces: Set[str] | None = None) -> Iterator[KeptSpan]:
    """Every whole line of every file, rotated ones too; where told, only those with a text, or of some traces."""
    for path in sorted(folder.glob("*.jsonl*")):
        with path.open() as lines:
            for line in lines:
                if text in line and (traces is None or line[TRACE_ID] in traces):
                    try:
                        yield _kept(json.loads(line), home)
                    except ValueError:
                        continue  # the last line of a process that was killed


def _kept(row: dict[str, Any], home: str) -> KeptSpan:
    partner = "" if row["country"] == home else f"-{row['country'].lower()}"
    return KeptSpan(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_id=row["parent_id"],
        name=row["name"],
        service=row["service"] + partner,
        start_ns=row["start_ns"],
        end_ns=row["end_ns"],
        error=row["error"],
        certificate_id=row["attributes"].get(CERTIFICATE_ID),
        links=tuple(row["links"]),
        reference=row["attributes"].get(CERTIFICATE_REFERENCE),
        message_id=row["attributes"].get(MESSAGE_ID),
    )


def certificate_of(reference: str, spans: Iterable[KeptSpan]) -> str | None:
    """The id of the certificate with a public reference, where it was issued within what is kept."""
    # the number of an attempt that failed goes to another certificate
    return next((span.certificate_id for span in spans if span.reference == reference and not span.error), None)


def spans_about(certificate_id: str, folder: Path, home: str) -> list[KeptSpan]:
    """All that `traces_of` needs to know of a folder of spans, without keeping the rest."""
    found: dict[str, KeptSpan] = {}  # by id: a file rotated meanwhile is read twice
    wanted = {span.trace_id for span in kept_spans(folder, home, text=certificate_id)}
    read: set[str] = set()
    while wanted:
        members = list(kept_spans(folder, home, traces=wanted))
        found |= {span.span_id: span for span in members}
        read |= wanted
        wanted = {link for span in members for link in span.links} - read
    return list(found.values())


def traces_of(certificate_id: str, spans: list[KeptSpan]) -> dict[str, list[KeptSpan]]:
    """The traces about a certificate and those they are linked to, each with its spans in order of time."""
    by_trace: dict[str, list[KeptSpan]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    wanted = [trace for trace, members in by_trace.items() if any(span.certificate_id == certificate_id for span in members)]
    found: dict[str, list[KeptSpan]] = {}
    while wanted:
        trace = wanted.pop()
        if trace in found or trace not in by_trace:
            continue
        found[trace] = sorted(by_trace[trace], key=lambda span: span.start_ns)
        wanted += [link for span in found[trace] for link in span.links]
    return dict(sorted(found.items(), key=lambda item: item[1][0].start_ns))
