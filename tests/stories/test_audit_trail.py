"""The audit log names the actor of every command, and its verification finds any change."""

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
from tests.stories.test_audit import changed_table

pytestmark = pytest.mark.slow


async def all_acts_sealed(system: RunningSystem) -> bool | None:
    """Whether every act of every service is sealed."""
    for service in SERVICES:
        with closing(sqlite3.connect(system.stack.root / "data" / f"{service}.db", timeout=10)) as database:
            if database.execute("SELECT 1 FROM trail WHERE seal IS NULL").fetchall():
                return None
    return True


async def test_every_command_has_a_verified_act_with_its_actor(
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

    await until(lambda: all_acts_sealed(system), "all acts to be sealed", within=90)
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
    output = capsys.readouterr().out
    in_order = ("DraftCertificate", "SubmitCertificate", "RecordPayment", "ReviewCertificate", "ApproveCertificate")
    assert sorted(in_order, key=output.index) == list(in_order)
    assert any(cashier in output for cashier in ids_of(ministry.cashier))
    await show(where=where, actor=str(exporter.session.user_id))
    assert "RegisterProduct" in (output := capsys.readouterr().out)
    assert "PutRegistrationFile" not in output


def ids_of(officers: Officers) -> set[str]:
    """The user ids of officers."""
    return {str(person.session.user_id) for person in officers.people}


async def acts_on(system: RunningSystem, certificate_id: UUID) -> list[tuple[str, str, str]]:
    """What was done on a certificate and by whom, in order; a submission that came too early may have been refused."""
    acts = await newest(system.operator, "certificates", FindActs(on=str(certificate_id)), 100)
    return [(act.act, act.actor, act.outcome) for act in reversed(acts) if act.outcome != "exporter_not_registered"]


async def test_a_changed_act_is_found(system: RunningSystem, capsys: pytest.CaptureFixture[str]) -> None:
    await until(lambda: all_acts_sealed(system), "all acts to be sealed", within=90)
    change = "UPDATE trail SET actor = 'operator' WHERE id = (SELECT min(id) FROM trail)"

    with changed_table(system.stack.root / "data" / "registry.db", "trail", change):
        code = await verify(where=Where(root=system.stack.root))

    assert code == 1
    assert "registry: act 1 was changed since seal 1" in capsys.readouterr().out
    assert await verify(where=Where(root=system.stack.root)) == 0


async def test_a_service_restored_from_an_older_backup_is_found_until_it_is_accepted(
    system: RunningSystem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where, kept = Where(root=system.stack.root), tmp_path / "checkpoints.json"
    assert await verify(where=where, save=kept) == 0
    seals = json.loads(kept.read_text())
    seals["KH/registry"]["number"] += 1000
    kept.write_text(json.dumps(seals))

    assert await verify(where=where, save=kept) == 1
    assert "is missing, and every seal after seal" in capsys.readouterr().out
    assert json.loads(kept.read_text())["KH/registry"] == seals["KH/registry"]

    assert await verify(where=where, save=kept, accept=("registry",)) == 0
    assert await verify(where=where, save=kept) == 0
