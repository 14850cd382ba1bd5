"""Reads the spans that the embedded run stores on disk and joins them to the traces of a certificate."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.observability.tracing import CERTIFICATE_ID, CERTIFICATE_REFERENCE, MESSAGE_ID

TRACE_ID = slice(len('{"trace_id": "'), len('{"trace_id": "') + 32)
"""The position of the trace id in a line. It avoids parsing lines of other traces: 100 MB take 5 s."""


@dataclass(frozen=True)
class KeptSpan:
    """One span as stored on disk. `start_ns`, `end_ns`: nanoseconds since 1970 (UTC)."""

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    service: str
    """The name of the service; with the country as suffix for a partner's gateway, such as `gateway-vn`."""
    start_ns: int
    end_ns: int
    error: str | None
    certificate_id: str | None
    links: tuple[str, ...]
    reference: str | None = None
    message_id: str | None = None


def kept_spans(folder: Path, home: str, *, text: str = "", traces: Set[str] | None = None) -> Iterator[KeptSpan]:
    """The spans of all files, also of rotated ones. `text` and `traces` select lines with that text, or of those traces."""
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
    """The id of the certificate with a public reference, or None if the stored spans do not contain its issue."""
    # after a failed attempt another certificate gets the same number
    return next((span.certificate_id for span in spans if span.reference == reference and not span.error), None)


def spans_about(certificate_id: str, folder: Path, home: str) -> list[KeptSpan]:
    """Only the spans of a folder that `traces_of` needs, to limit memory."""
    found: dict[str, KeptSpan] = {}  # by id, because a file that is rotated meanwhile is read twice
    wanted = {span.trace_id for span in kept_spans(folder, home, text=certificate_id)}
    read: set[str] = set()
    while wanted:
        members = list(kept_spans(folder, home, traces=wanted))
        found |= {span.span_id: span for span in members}
        read |= wanted
        wanted = {link for span in members for link in span.links} - read
    return list(found.values())


def traces_of(certificate_id: str, spans: list[KeptSpan]) -> dict[str, list[KeptSpan]]:
    """The traces of a certificate and the traces that they link to, by trace id. Spans are sorted by start."""
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
