"""`co audit` finds inconsistencies between services: each is made in a database and undone again."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.commands.audit import audit
from cli.target import Where
from tests.stories.conftest import RunningSystem, to

pytestmark = pytest.mark.slow

A_SECOND_TRANSMISSION = """
    INSERT INTO transmissions (transmission_id, certificate_id, exporter_id, reference, destination, number, document)
    SELECT '000000000000400080000000000000aa', certificate_id, exporter_id, 'D2026-PNH-999999', destination, number, document
    FROM transmissions LIMIT 1
"""
A_DEAD_LETTER = """
    INSERT INTO dead_letters (kind, name, key, body, error, died_at)
    VALUES ('event', 'evt.x.y.v1', 'k', '', 'E: x', '2026-01-01T00:00:00.000000Z')
"""
A_GAP = """
    UPDATE documents SET reference = 'D2026-PNH-000900'
    WHERE certificate_id = (SELECT max(certificate_id) FROM documents WHERE reference LIKE '%-PNH-%')
"""
NO_SUBMISSION = "a submitted certificate has one fee, and nothing else"
INCONSISTENCIES = (
    (
        "tracking",
        "tracked_steps",
        "DELETE FROM tracked_steps WHERE code = 'AS2'",
        "the public page shows REC, after AS1 and AS2",
    ),
    ("tracking", "tracked_certificates", "DELETE FROM tracked_certificates", "every number is on the public page"),
    ("tracking", "inbox", "DELETE FROM inbox WHERE subject = 'evt.certificate.issued.v1'", "CertificateIssued was received"),
    ("fees", "invoices", "UPDATE invoices SET settled_submission = 0", "an issued certificate is paid"),
    ("fees", "payments", "DELETE FROM payments", "the paid amount of every invoice is the sum of its slips"),
    ("fees", "dead_letters", A_DEAD_LETTER, "fees has no dead letters"),
    ("certificates", "documents", A_GAP, "numbers have no gap"),
    ("certificates", "certificates", "UPDATE certificates SET submission = 0", NO_SUBMISSION),
    ("gateway", "transmissions", A_SECOND_TRANSMISSION, "there are no duplicates"),
    ("gateway", "transmissions", "DELETE FROM transmissions", "an issued certificate of an exchanged form is sent once"),
)


@contextmanager
def changed_table(file: Path, table: str, statement: str) -> Iterator[None]:
    """Changes a table by a statement for this block and restores its rows afterwards."""
    with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as database:
        rows = database.execute(f"SELECT * FROM {table}").fetchall()
        database.execute(statement)
        yield
        database.execute("BEGIN IMMEDIATE")
        database.execute(f"DELETE FROM {table}")
        if rows:
            database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        database.execute("COMMIT")


async def rules_broken(system: RunningSystem, file: Path, patience: float = 0) -> tuple[int, dict[str, Any]]:
    code = await audit(where=Where(root=system.stack.root), patience=patience, json_file=file)
    found = json.loads(file.read_text())
    assert found["holds"] is (code == 0)
    return code, {rule["says"].partition(":")[0]: rule["offenders"] for rule in found["rules"] if not rule["holds"]}


@pytest.mark.parametrize(("service", "table", "statement", "rule"), INCONSISTENCIES, ids=[rule for *_, rule in INCONSISTENCIES])
async def test_the_audit_finds_an_inconsistency(
    system: RunningSystem,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    service: str,
    table: str,
    statement: str,
    rule: str,
) -> None:
    if not (await system.web.get("/public-search/atiga", params={"reference": "D2026-PNH-000001"})).is_success:
        await system.travel(to("VN"))
    assert await rules_broken(system, tmp_path / "before.json", patience=30) == (0, {})

    with changed_table(system.stack.root / "data" / f"{service}.db", table, statement):
        code, broken = await rules_broken(system, tmp_path / "wrong.json")

    assert code == 1
    assert broken[rule]
    assert f"Violated: {rule}" in capsys.readouterr().out
    assert await rules_broken(system, tmp_path / "after.json", patience=5) == (0, {})


async def test_a_service_that_does_not_answer_is_found(system: RunningSystem, tmp_path: Path) -> None:
    where = Where(root=system.stack.root)
    await system.stack.stop("tracking")
    try:
        code = await audit(where=where, patience=0, json_file=tmp_path / "a.json", answer_within=2)
    finally:
        await system.stack.start("tracking")

    assert code == 1
    rules = json.loads((tmp_path / "a.json").read_text())["rules"]
    assert [rule["says"] for rule in rules if not rule["holds"]] == ["tracking answers"]
