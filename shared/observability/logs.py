"""Logs: lines of JSON on standard output, each with the ids of its trace and its actor."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from opentelemetry import trace

actor_id: ContextVar[str | None] = ContextVar("actor_id", default=None)

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_DETAIL = "DETAIL:"
"""The beginning of a line in PostgreSQL's errors that contains values, which may be personal data."""


def without_values(text: str) -> str:
    """The text of an error, up to the line in which a database quotes values."""
    return text.partition(f"\\n{_DETAIL}")[0].partition(f"\n{_DETAIL}")[0]


def error_text(error: BaseException) -> str:
    """The text of an error in at most 500 characters, without the values that a database quotes."""
    return without_values(repr(error))[:500]


class _JsonFormatter(logging.Formatter):
    def __init__(self, service: str, country: str) -> None:
        super().__init__()
        self._source = {"service": service, "country": country}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **self._source,
            "message": record.getMessage(),
        }
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            line["trace_id"] = f"{context.trace_id:032x}"
        if actor := actor_id.get():
            line["actor_id"] = actor
        line |= {key: value for key, value in record.__dict__.items() if key not in _PLAIN}
        if record.exc_info:
            traceback = self.formatException(record.exc_info).splitlines()
            line["exception"] = "\n".join(part for part in traceback if not part.startswith(_DETAIL))
        return json.dumps(line, default=str, ensure_ascii=False)


def start_logs(service: str, country: str, level: str) -> None:
    """Writes every log record of this process to standard output as one line of JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter(service, country))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
