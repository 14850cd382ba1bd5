"""How SQLite executes the statements of the product: what reads a table that grows, and how.

A statement counts as the product's if the nearest function of this repository that has sent it belongs to it. SQLite has no
statistics here, as in the product, so its plans do not depend on what is stored.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from greenlet import getcurrent
from sqlalchemy import Engine, event

ROOT = Path(__file__).parents[1]
PRODUCT = ("services", "shared")
PASSES_ON = {"shared/database/session.py", "shared/database/engine.py", "shared/database/paging.py"}
"""Files that only hand statements on."""

BOUNDED = frozenset(
    """
    alembic_version runnable_revisions signing_keys tasks dead_letters recoveries lost_keys revoked_sessions revoked_mandates
    used_step_ups numbers assignments tracked_partners partners exporters exporter_names consignee_names
    rows effects sqlite_master sqlite_temp_master
    """.split()  # noqa: SIM905
)
"""Tables that stay small: what waits, what is kept for days, one row for each company, consignee, country, office and year, or
key. The last ones belong to tests and to SQLite."""
SHORT = frozenset({"ix_outbox_unsent", "ix_invoices_newest_unpaid"})
"""Indexes that have only the rows that wait."""

SCAN = re.compile(r"^SCAN (?!CONSTANT ROW)(\w+)(?: AS \w+)?(?: USING (?:COVERING )?INDEX (\w+))?")
SORT = re.compile(r"^USE TEMP B-TREE FOR (.*)")
ALIAS = re.compile(r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)\s+AS\s+(\w+)", re.IGNORECASE)
READS = re.compile(r"^\s*(SELECT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
MANY = re.compile(r"\((?:\?, )+\?\)")


@dataclass(frozen=True)
class Planned:
    """A statement, the function that has sent it, and the lines of its plan."""

    place: str
    statement: str
    plan: tuple[str, ...]

    @property
    def growing(self) -> tuple[str, ...]:
        """The lines that read more, the more is stored: whole tables or indexes, and sorts of them.

        A list that reads a table or an index in its own order until a page is full does not count.
        """
        tables = {alias: table for table, alias in ALIAS.findall(self.statement)}
        in_order = re.search(r"\bORDER BY\b.*\bLIMIT\b", self.statement, re.DOTALL) and not any(map(SORT.match, self.plan))
        found = []
        for line in self.plan:
            if scan := SCAN.match(line):
                table = tables.get(scan[1], scan[1])
                if table not in BOUNDED and scan[2] not in SHORT and not table.startswith("anon_") and not in_order:
                    found.append(line)
            elif "AUTOMATIC" in line:
                found.append(line)
        return tuple(found)


@dataclass
class Recorder:
    """Explains each statement that is executed on a SQLite file, once."""

    planned: dict[str, Planned] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def listen(self) -> None:
        """Begins to record all engines of this process."""
        event.listen(Engine, "before_cursor_execute", self._on_statement)

    def end(self) -> None:
        """Records no more."""
        event.remove(Engine, "before_cursor_execute", self._on_statement)

    def _on_statement(self, connection: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        file = connection.engine.url.database
        if statement in self._seen or connection.dialect.name != "sqlite" or not file or not READS.match(statement):
            return
        place = place_of_caller()
        if place is None:
            return  # a test has sent it; the product may send the same
        self._seen.add(statement)
        with suppress(sqlite3.Error):
            plan = explained(file, statement, parameters)
            short = MANY.sub("(?, ...)", statement)
            self.planned.setdefault(short, Planned(place, short, plan))


def explained(file: str, statement: str, parameters: Any) -> tuple[str, ...]:
    """The lines of the plan of a statement on a database."""
    values = parameters[0] if isinstance(parameters, list) else parameters
    with closing(sqlite3.connect(file)) as opened:
        return tuple(row[3] for row in opened.execute(f"EXPLAIN QUERY PLAN {statement}", values))


def place_of_caller() -> str | None:
    """The function of the product that sends a statement now, as `file:function`; None if another function does."""
    for frame in _frames():
        file = Path(frame.f_code.co_filename)
        if not file.is_relative_to(ROOT) or ".venv" in file.parts or file == Path(__file__):
            continue
        name = file.relative_to(ROOT).as_posix()
        if name not in PASSES_ON:
            return f"{name}:{frame.f_code.co_name}" if name.startswith(PRODUCT) else None
    return None


def _frames() -> Iterator[FrameType]:
    """The frames of this call, and of the greenlets that wait for it: SQLAlchemy executes statements in one of its own."""
    frame: FrameType | None = sys._getframe(1)
    waiting = getcurrent()
    while frame or waiting.parent:
        if frame is None:
            waiting = waiting.parent
            frame = waiting.gr_frame
            continue
        yield frame
        frame = frame.f_back


def growing(planned: Sequence[Planned], allowed: dict[str, str]) -> list[Planned]:
    """The statements that read more, the more is stored, except those of the allowed functions."""
    return [each for each in planned if each.growing and each.place not in allowed]
