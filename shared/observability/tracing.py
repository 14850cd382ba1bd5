"""Tracing with OpenTelemetry: one trace for a command and all its consequences.

All attributes are declared here. None contains personal or commercial data.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from logging import INFO, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

CERTIFICATE_ID = "co.certificate.id"
CERTIFICATE_REFERENCE = "co.certificate.reference"
SUBJECT = "messaging.destination.name"
MESSAGE_ID = "messaging.message.id"
ATTEMPT = "co.attempt"
OUTCOME = "co.outcome"

ATTRIBUTES = {"certificate": CERTIFICATE_ID, "reference": CERTIFICATE_REFERENCE}
"""The attributes that join traces and find them, by noun."""

TRACEPARENT_LENGTH = 55

tracer = trace.get_tracer("co")
_W3C = TraceContextTextMapPropagator()


class _LossyFile(RotatingFileHandler):
    def handleError(self, record: LogRecord) -> None:
        """Drops the span, for example if the disk is full."""


class SpansOnDisk(SpanExporter):
    """Writes spans as lines of JSON to a rotated file. The embedded run uses it in place of a collector."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = _LossyFile(path, maxBytes=32 * 1024 * 1024, backupCount=3)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = "\n".join(json.dumps(_as_line(span)) for span in spans)
        self._file.handle(LogRecord("spans", INFO, "", 0, lines, None, None))  # the file checks its size for each record
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        with suppress(OSError):
            self._file.close()


def _as_line(span: ReadableSpan) -> dict[str, object]:
    return {
        "trace_id": f"{span.context.trace_id:032x}",
        "span_id": f"{span.context.span_id:016x}",
        "parent_id": f"{span.parent.span_id:016x}" if span.parent else None,
        "name": span.name,
        "service": span.resource.attributes.get("service.name"),
        "country": span.resource.attributes.get("service.namespace"),
        "start_ns": span.start_time,
        "end_ns": span.end_time,
        "error": span.status.description or "error" if span.status.status_code is StatusCode.ERROR else None,
        "attributes": dict(span.attributes or {}),
        "links": [f"{link.context.trace_id:032x}" for link in span.links],
    }


def start_tracing(service: str, country: str, spans_dir: Path | None) -> TracerProvider:
    """Sends spans to the collector of `OTEL_EXPORTER_OTLP_ENDPOINT`, and to a file in `spans_dir`. It never blocks."""
    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.namespace": country}))
    if spans_dir is not None:
        path = spans_dir / f"{country.lower()}-{service}-{os.getpid()}.jsonl"
        provider.add_span_processor(BatchSpanProcessor(SpansOnDisk(path)))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


@contextmanager
def span(
    name: str,
    *,
    under: str | None,
    kind: SpanKind,
    about: UUID | None = None,
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[Span]:
    """A span under the remote parent `under` (a traceparent), or a root span without one."""
    parent = _W3C.extract({"traceparent": under}, Context()) if under else Context()
    with tracer.start_as_current_span(
        name, parent, kind, attributes, record_exception=False, set_status_on_exception=False
    ) as opened:
        if about is not None:
            opened.set_attribute(CERTIFICATE_ID, str(about))
        try:
            yield opened
        except BaseException as error:
            # only the class of the error: its message may contain personal data
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def mark(opened: Span, what: str, value: object) -> bool:
    """Sets the attribute that joins or finds traces. Returns False if the noun `what` has none."""
    if what not in ATTRIBUTES:
        return False
    opened.set_attribute(ATTRIBUTES[what], str(value))
    return True


def traceparent() -> str | None:
    """The current span as a traceparent (W3C Trace Context), for messages and rows."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def bounded(trace: str | None) -> str | None:
    """The traceparent, or None if it is longer than a valid one and so than its column."""
    return trace if trace is not None and len(trace) <= TRACEPARENT_LENGTH else None


def link_to(opened: Span, other: str | None) -> None:
    """Links a span to the span of a stored traceparent, unless both belong to the same trace."""
    if other is None:
        return
    context = trace.get_current_span(_W3C.extract({"traceparent": other}, Context())).get_span_context()
    if context.is_valid and context.trace_id != opened.get_span_context().trace_id:
        opened.add_link(context)
