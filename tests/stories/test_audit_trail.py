"""Years later the ministry can say who did what, and prove that nobody doctored the record."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from cli.commands.audit_trail import newest, show, show_keys, verify
from cli.demo.people import Officers, until
from cli.target import Where
from shared.contracts.audit_log import FindActs
from shared.contracts.index import SERVICES
from tests.stories.conftest import RunningSystem, to
from tests.stories.test_audit import put_wrong

pytestmark = pytest.mark.slow


async def everything_is_sealed(system: RunningSystem) -> bool | None:
    """Whether the minute has passed in every service."""
    for service in SERVICES:
        with closing(sqlite3.connect(system.stack.root / "data" / f"{service}.db", timeout=10)) as database:
            if database.execute("SELECT 1 FROM trail WHERE seal IS NULL").fetchall():
                return None
    return True


async def test_who_did_what_is_known_and_proven(
    system: RunningSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, ministry = Where(root=system.stack.root), system.ministry
    journey = await system.journey(to("VN"))
    await journey.submit()
    await system.decide(journey)
    await journey.issued()
    keys, kept = tmp_path / "keys.json", tmp_path / "checkpoints.json"
    show_keys(where=where)
    keys.write_text(capsys.readouterr().out)

    await until(lambda: everything_is_sealed(system), "the minute to pass", within=90)
    assert await verify(where=where, keys=keys, save=kept) == 0

    verified = capsys.readouterr().out
    assert all(service in verified for service in SERVICES)
    assert {"KH/registry", "KH/certificates", "KH/fees"} <= json.loads(kept.read_text()).keys()
    done = await acts_on(system, journey.certificate_id)
    exporter = journey.exporter.person
    by = {
        "DraftCertificate": {str(exporter.session.user_id)},
        "SubmitCertificate": {str(exporter.session.user_id)},
        "ReviewCertificate": ids_of(ministry.reviewer),
        "ApproveCertificate": ids_of(ministry.approver),
    }
    assert [(act, outcome) for act, _, outcome in done] == [(act, "done") for act in by]
    assert all(actor in by[act] for act, actor, _ in done)
    await show(where=where, on=str(journey.certificate_id))
    said = capsys.readouterr().out
    in_order = ("DraftCertificate", "SubmitCertificate", "RecordPayment", "ReviewCertificate", "ApproveCertificate")
    assert sorted(in_order, key=said.index) == list(in_order)
    assert any(cashier in said for cashier in ids_of(ministry.cashier))
    await show(where=where, actor=str(exporter.session.user_id))
    assert "RegisterProduct" in (said := capsys.readouterr().out)
    assert "PutRegistrationFile" not in said


def ids_of(officers: Officers) -> set[str]:
    """Who they are."""
    return {str(person.session.user_id) for person in officers.people}


async def acts_on(system: RunningSystem, certificate_id: UUID) -> list[tuple[str, str, str]]:
    """What was done on a certificate and by whom, in order; a submission that came too early may have been refused."""
    acts = await newest(system.operator, "certificates", FindActs(on=str(certificate_id)), 100)
    return [(act.act, act.actor, act.outcome) for act in reversed(acts) if act.outcome != "exporter_not_registered"]


async def test_a_doctored_record_is_named(system: RunningSystem, capsys: pytest.CaptureFixture[str]) -> None:
    await until(lambda: everything_is_sealed(system), "the minute to pass", within=90)
    doctored = "UPDATE trail SET actor = 'operator' WHERE id = (SELECT min(id) FROM trail)"

    with put_wrong(system.stack.root / "data" / "registry.db", "trail", doctored):
        code = await verify(where=Where(root=system.stack.root))

    assert code == 1
    assert "registry: act 1 was changed since seal 1" in capsys.readouterr().out
    assert await verify(where=Where(root=system.stack.root)) == 0


async def test_a_service_that_came_back_from_an_older_copy_is_found_until_it_is_accepted(
    system: RunningSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, kept = Where(root=system.stack.root), tmp_path / "checkpoints.json"
    assert await verify(where=where, save=kept) == 0
    seals = json.loads(kept.read_text())
    seals["KH/registry"]["number"] += 1000
    kept.write_text(json.dumps(seals))

    assert await verify(where=where, save=kept) == 1
    assert "is gone, and what came after seal" in capsys.readouterr().out
    assert json.loads(kept.read_text())["KH/registry"] == seals["KH/registry"]

    assert await verify(where=where, save=kept, accept=("registry",)) == 0
    assert await verify(where=where, save=kept) == 0
