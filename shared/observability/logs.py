"""Logs are lines of JSON on standard output, each with the trace and the actor it belongs to."""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from opentelemetry import trace

actor_id: ContextVar[str | None] = ContextVar("actor_id", default=None)

_PLAIN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_QUOTES_A_ROW = "DETAIL:"
"""How PostgreSQL begins the line of an error that quotes values, which may be personal."""


def without_values(text: str) -> str:
    """What an error says, up to where a database begins to quote values."""
    return text.partition(f"\\n{_QUOTES_A_ROW}")[0].partition(f"\n{_QUOTES_A_ROW}")[0]


def error_text(error: BaseException) -> str:
    """An error in at most 500 characters, without the values that a database quotes."""
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
            said = self.formatException(record.exc_info).splitlines()
            line["exception"] = "\n".join(part for part in said if not part.startswith(_QUOTES_A_ROW))
        return json.dumps(line, default=str, ensure_ascii=False)


def start_logs(service: str, country: str, level: str) -> None:
    """Sends every log record of this process to standard output as one line of JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter(service, country))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
