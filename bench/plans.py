"""How SQLite executes the statements of the product: what reads a table that grows, and how.

A statement counts as the product's if the nearest function of this repository that has sent it belongs to it. SQLite has no
statistics here, as in the product, so its plans do not depend on what is stored.
"""

import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from greenlet import getcurrent  # type: ignore[import-untyped]
from sqlalchemy import Engine, event

ROOT = Path(__file__).parents[1]
PRODUCT = ("services", "shared")
PASSES_ON = {"shared/database/session.py", "shared/database/engine.py", "shared/database/paging.py"}
"""Files that only hand statements on."""

BOUNDED = frozenset(
    """
    alembic_version runnable_revisions signing_keys tasks dead_letters recoveries lost_keys revoked_sessions revoked_mandates
    used_step_ups numbers contingency_numbers assignments tracked_partners tracked_outages partners partner_outages exporters
    exporter_names consignee_names registrations users mandates api_keys passkeys nomenclature_editions origin_rule_sets
    origin_rule_parts check_keys
    rows effects sqlite_master sqlite_temp_master
    """.split()  # noqa: SIM905
)
"""Tables that stay small: what waits or is kept for days, one row for each company, person, consignee, country or key. The last
ones belong to tests and to SQLite."""
SHORT = frozenset(
    {"ix_outbox_unsent", "ix_invoices_newest_unpaid", "ix_invoices_newest_unpaid_of_exporter", "ix_contingencies_open"}
    | {"ix_tracked_transmissions_waiting"}
)
"""Indexes that have only the rows that wait."""

ALLOWED: Sequence[tuple[str, str, str]] = (
    ("shared/operations/consistency.py", "", "the digests of `co audit` read everything, in parts"),
    ("services/certificates/store/lists.py:list_certificates", "settlements.certificate_id IS NULL", "what is in process"),
    ("services/certificates/store/lists.py:list_certificates", "assignments.officer = ?", "what is assigned to one person"),
    ("services/certificates/store/lists.py:list_consignees", "", "the latest 2,000 certificates of an exporter"),
    ("services/fees/store.py:slips_of", "", "the slips of one page of invoices"),
    ("services/gateway/store.py:find_transmissions", "", "the transmissions of one certificate"),
    ("services/tracking/figures.py:waiting_at_partners", "", "what waits at partners"),
    ("services/registry/identity/store/sessions.py:sessions_of", "", "the sessions of one person"),
    ("shared/handling/work.py:link_to_former", "", "the events about one certificate or registration"),
    ("shared/audit_log/sealing.py:_page", "trail.seal BETWEEN", "the entries under the seals of one answer"),
)
"""Statements that read or sort more than a page and may do so: the function, a part of the statement, and what it reads."""

SCAN = re.compile(r"^SCAN (?!CONSTANT ROW)(\w+)(?: AS \w+)?(?: USING (?:COVERING )?INDEX (\w+))?")
MINIMUM = re.compile(r"^SEARCH (\w+) USING (?:COVERING )?INDEX (\w+)$")
"""How SQLite looks for the first or last entry of an index. With a condition it reads until one fulfils it."""
SEARCH = re.compile(r"^SEARCH (\w+) USING (?:COVERING )?INDEX (\w+) .*")
SORT = re.compile(r"^USE TEMP B-TREE FOR (?!RIGHT PART)")
IN_ORDER = re.compile(r"\bORDER BY\b.*\bLIMIT\b|^SELECT (?:(?!WHERE).)*\bLIMIT\b", re.DOTALL)
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
        """The lines that read or sort more, the more is stored.

        A list that reads a table or an index in its own order until a page is full does not count, nor does a sort of rows that
        were found by their keys.
        """
        sorts = [line for line in self.plan if SORT.match(line)]
        in_order = IN_ORDER.search(self.statement) and not sorts
        found = [line for line in self.plan if "AUTOMATIC" in line]
        for line in self.plan:
            scan, least = SCAN.match(line), MINIMUM.match(line)
            if scan and self._grows(scan[1]) and scan[2] not in SHORT and not in_order:
                found.append(line)
            if least and self._grows(least[1]) and " WHERE " in self.statement:
                found.append(line)
        first = next((read for line in self.plan if (read := SEARCH.match(line))), None)
        if sorts and first and self._grows(first[1]) and first[2].startswith("ix_"):
            found += [first[0], *sorts]
        return tuple(found)

    @property
    def allowed(self) -> str | None:
        """Why the statement may read more; None if it may not."""
        places = ((place, part, reason) for place, part, reason in ALLOWED if self.place.startswith(place))
        return next((reason for _, part, reason in places if part in self.statement), None)

    def _grows(self, name: str) -> bool:
        tables = {alias: table for table, alias in ALIAS.findall(self.statement)}
        table = tables.get(name, name)
        return table not in BOUNDED and not table.startswith("anon_")


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
        if statement not in self._seen and READS.match(statement) and (place := place_of_caller()):
            self._seen.add(statement)  # not if a test has sent it: the product may send the same
            self.keep(connection, statement, parameters, place)

    def keep(self, connection: Any, statement: str, parameters: Any, place: str) -> None:
        """Explains a statement that was not seen before."""
        if connection.dialect.name == "sqlite" and (file := connection.engine.url.database):
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


def growing(planned: Iterable[Planned]) -> list[Planned]:
    """The statements that read more, the more is stored, and may not."""
    return [each for each in planned if each.growing and not each.allowed]
