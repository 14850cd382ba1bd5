"""Rows of one life as statements that make the rows of many: each value that belongs to this life becomes an expression.

A life is a certificate from its draft on, in the databases of all services. `lives` and `companies` are tables of the filler
with one row for each new life or company. A statement reads them, so the rows are made inside SQLite.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.operations.retention import ANSWERS_KEPT, INBOX_KEPT, OUTBOX_KEPT

DAY = r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9-])"
INSTANT = DAY.removesuffix("(?![0-9-])") + r"T[0-9:]{8}(?:\.[0-9]+)?Z"
IDS = frozenset({"event_id", "command_id", "transmission_id", "message_id", "document_id"})
"""Columns with ids of which each life has its own."""
COMPANY_TABLES = ("exporters", "standings", "products", "exporter_names", "registrations", "registration_acts")
LEFT_OUT = frozenset({"tasks", "dead_letters", "assignments", "files", "file_chunks"})
"""Tables that are not copied. The sealed PDFs of a million certificates would have 60 GB; no list or page reads them."""
KEPT = {"outbox": ("recorded_at", OUTBOX_KEPT), "inbox": ("received_at", INBOX_KEPT), "answers": ("answered_at", ANSWERS_KEPT)}
"""Tables of which old rows are deleted, with the column of the age."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """An INSERT for many lives. It has three parameters of its own after `values`: the template, the first and last life."""

    service: str
    table: str
    sql: str
    values: tuple[Any, ...]


@dataclass
class Template:
    """One life, with the values that only it has. `tokens`: an expression on `l` (lives) or `x` (companies) for each value."""

    kind: str
    certificate_id: str
    exporter_id: str
    office: str
    destination: str
    reference: str | None
    tokens: dict[str, str] = field(default_factory=dict)

    def expression(self, table: str, column: str, value: Any, *, moved: bool = True) -> tuple[str, list[Any]]:
        """The SQL of one value in the new row, and its parameters. `moved`: dates belong to the life and are shifted."""
        if column in IDS and isinstance(value, str) and value not in self.tokens:
            return "made(l.n, ?)", [value]
        if not isinstance(value, str) or not value:
            return "?", [value]
        if column == "office" and value == self.office:
            return "l.office", []
        if column in ("destination", "country") and value == self.destination:
            return "l.destination", []
        return self._in_text(value, moved)

    def _in_text(self, text: str, moved: bool) -> tuple[str, list[Any]]:
        tokens = self.tokens | {
            f'"{name}":"{value}"': f"'\"{name}\":\"' || l.{column} || '\"'"
            for name, value, column in (
                ("office", self.office, "office"),
                ("destination", self.destination, "destination"),
                ("country", self.destination, "destination"),
            )
            if moved
        }
        found = [re.escape(token) for token in sorted(tokens, key=len, reverse=True)]
        pattern = re.compile("|".join([*found, *((INSTANT, DAY) if moved else ())]) or "(?!)")
        parts: list[str] = []
        values: list[Any] = []
        end = 0
        for match in pattern.finditer(text):
            if match.start() > end:
                parts.append("?")
                values.append(text[end : match.start()])
            parts.append(tokens.get(match[0]) or _shifted(match[0]))
            end = match.end()
        if end < len(text):
            parts.append("?")
            values.append(text[end:])
        return " || ".join(parts), values


def _shifted(text: str) -> str:
    """A date or an instant, later by the shift of the life. Both are digits and separators only."""
    if "T" not in text:
        return f"date('{text}', (l.shift / 86400) || ' days')"
    return f"strftime('%Y-%m-%dT%H:%M:%S', '{text[:19]}', l.shift || ' seconds') || '{text[19:]}'"


def made(salt: str) -> Callable[[int, str], str]:
    """The function of SQLite that returns the id of a life in place of an id of its template: the same in all databases."""

    def made_id(number: int, former: str) -> str:
        digest = blake2b(f"{salt}{number}{former}".encode(), digest_size=16).hexdigest()
        return f"{digest[:12]}4{digest[13:16]}a{digest[17:]}"

    return made_id


def dashed(hexadecimal: str) -> str:
    """An id as JSON has it."""
    return str(UUID(hexadecimal))


def tables_of(file: sqlite3.Connection) -> dict[str, list[str]]:
    """The columns of each table."""
    names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: [row[1] for row in file.execute(f"PRAGMA table_info({name})")] for name in names}


def rows_of(file: sqlite3.Connection, template: Template) -> Iterator[tuple[str, Row]]:
    """The rows of a life in one database, with their tables."""
    columns = tables_of(file)
    own, about = template.certificate_id, dashed(template.certificate_id)
    wanted: list[tuple[str, str, str | None]] = []
    for table in sorted(columns.keys() - LEFT_OUT):
        if table == "inbox":
            wanted.append((table, "about = ?", own))
        elif table == "outbox":  # not the event that a partner's gateway answers, which the same work announced
            wanted.append((table, f"about = ? AND instr(body, '{about}')", own))
        elif table == "trail":
            wanted.append((table, "on_id = ?", about))
        elif table == "answers":
            wanted.append((table, "command_id IN (SELECT command_id FROM trail WHERE on_id = ?)", about))
        elif table == "steps":
            of = "transmission_id IN (SELECT transmission_id FROM transmissions WHERE certificate_id = ?)"
            wanted.append((table, of, own))
        elif table == "tracked_transmissions":
            wanted.append((table, "reference = ?", template.reference))
        elif "certificate_id" in columns[table]:
            wanted.append((table, "certificate_id = ?", own))
    for table, condition, value in wanted:
        found = file.execute(f"SELECT * FROM {table} WHERE {condition} ORDER BY rowid", (value,))
        names = [each[0] for each in found.description]
        yield from ((table, dict(zip(names, row, strict=True))) for row in found.fetchall())


def statements_of(service: str, file: Path, template: Template, now: datetime) -> list[Statement]:
    """The statements that make the rows of many lives like this one. Rows that would be deleted at `now` are left out."""
    with closing(sqlite3.connect(file)) as opened:
        rows = list(rows_of(opened, template))
    return [_life_statement(service, table, row, template, now) for table, row in rows]


def _life_statement(service: str, table: str, row: Row, template: Template, now: datetime) -> Statement:
    names, selected, values = _columns(table, row, template, moved=True)
    sql = f"INSERT INTO {table} ({names}) SELECT {selected} FROM lives l JOIN companies x ON x.k = l.company"
    sql += " WHERE l.template = ? AND l.n BETWEEN ? AND ?"
    if table in KEPT:
        column, lasts = KEPT[table]
        oldest = now - lasts + timedelta(minutes=1) - datetime.fromisoformat(row[column])
        sql += f" AND l.shift > {round(oldest.total_seconds())}"
    return Statement(service, table, sql, tuple(values))


def company_statements(service: str, file: Path, template: Template) -> list[Statement]:
    """The statements that make companies like that of a life. The three last parameters are the same as those of a life."""
    with closing(sqlite3.connect(file)) as opened:
        tables = [name for name in COMPANY_TABLES if name in tables_of(opened)]
        found = []
        for table in tables:
            read = opened.execute(f"SELECT * FROM {table} WHERE exporter_id = ?", (template.exporter_id,))
            heads = [each[0] for each in read.description]
            found += [(table, dict(zip(heads, row, strict=True))) for row in read.fetchall()]
    made_of = []
    for table, row in found:
        names, selected, values = _columns(table, row, template, moved=False)
        sql = f"INSERT INTO {table} ({names}) SELECT {selected} FROM companies x WHERE x.template = ? AND x.k BETWEEN ? AND ?"
        made_of.append(Statement(service, table, sql, tuple(values)))
    return made_of


def _columns(table: str, row: Row, template: Template, *, moved: bool) -> tuple[str, str, list[Any]]:
    names: Sequence[str] = [name for name in row if name not in ("id", "seal")]  # numbers of the database's own
    selected, values = [], []
    for name in names:
        expression, bound = template.expression(table, name, row[name], moved=moved)
        selected.append(expression)
        values += bound
    return ", ".join(names), ", ".join(selected), values


def indexes_of(file: sqlite3.Connection, tables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and statement of each index of these tables that is no part of a key."""
    found = file.execute("SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    return [(name, sql) for name, sql, table in found.fetchall() if table in tables]
