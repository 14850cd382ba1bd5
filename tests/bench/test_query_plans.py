"""Plans of statements: what reads more, the more is stored, is found."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bench.plans import Planned, Recorder, explained, growing

SCHEMA = """
CREATE TABLE documents (id INTEGER PRIMARY KEY, owner TEXT, at TEXT, name TEXT UNIQUE);
CREATE TABLE partners (country TEXT PRIMARY KEY);
CREATE INDEX ix_documents_owner ON documents (owner);
CREATE INDEX ix_documents_at ON documents (at);
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = str(tmp_path / "some.db")
    sqlite3.connect(path).executescript(SCHEMA)
    return path


@pytest.mark.parametrize(
    ("statement", "grows"),
    [
        ("SELECT * FROM documents WHERE owner = 'a'", False),
        ("SELECT * FROM documents WHERE upper(owner) = 'A'", True),
        ("SELECT count(*) FROM documents", True),
        ("SELECT * FROM documents ORDER BY at LIMIT 5", False),
        ("SELECT * FROM documents ORDER BY id DESC LIMIT 5", False),
        ("SELECT * FROM documents LIMIT 1", False),
        ("SELECT * FROM documents WHERE upper(owner) = 'A' LIMIT 1", True),
        ("SELECT * FROM documents WHERE owner = 'a' ORDER BY at LIMIT 5", True),
        ("SELECT * FROM documents WHERE name IN ('a', 'b') ORDER BY at LIMIT 5", False),
        ("SELECT * FROM documents AS d JOIN documents AS e ON e.at = d.owner WHERE d.id = 1", False),
        (
            "SELECT * FROM documents AS d JOIN (SELECT owner, max(at) AS at FROM documents GROUP BY owner) AS e ON d.at = e.at",
            True,
        ),
        ("SELECT min(at) FROM documents", False),
        ("SELECT min(at) FROM documents WHERE owner || name = 'a'", True),
        ("SELECT * FROM partners", False),
        ("UPDATE documents SET at = 'x' WHERE at < 'y'", False),
        ("DELETE FROM documents WHERE at || owner < 'y'", True),
    ],
)
def test_a_statement_that_reads_more_the_more_is_stored_is_found(file: str, statement: str, grows: bool) -> None:
    planned = Planned("services/some.py:some", statement, explained(file, statement, ()))

    assert bool(planned.growing) is grows, planned.plan
    assert growing([planned]) == ([planned] if grows else [])


def test_a_statement_with_a_reason_is_allowed(file: str) -> None:
    plan = explained(file, "SELECT count(*) FROM documents", ())

    assert growing([Planned("shared/operations/consistency.py:_digest_of", "SELECT count(*) FROM documents", plan)]) == []


def test_statements_of_a_test_are_not_recorded(file: str) -> None:
    recorder = Recorder()
    recorder.listen()
    with create_engine(f"sqlite:///{file}").connect() as connection:
        connection.execute(text("SELECT count(*) FROM documents"))
    recorder.end()

    assert recorder.planned == {}
