"""A service is restored from an older backup and assigns no number twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli.commands.audit import audited
from cli.commands.backup import DatabaseTarget, backup, restore
from cli.commands.recover import recover
from cli.consistency_rules import FactReader
from cli.demo.people import until
from shared.bus.client import AskRefused, BusClient
from shared.contracts import operations
from shared.contracts.certificates.issuing import GetCertificate, SubmitCertificate
from tests.stories.conftest import a_running_system
from tests.support.load import PARTNER, Load

pytestmark = pytest.mark.slow

SERVICE = "certificates"


@pytest_asyncio.fixture(loop_scope="package")
async def load(tmp_path: Path) -> AsyncIterator[Load]:
    async with (
        a_running_system(tmp_path / "system", (PARTNER,)) as system,
        await BusClient.connect("operator", system.stack.nats_url, system.stack.seed("operator", PARTNER)) as partner,
    ):
        yield await Load.create(system, partner, patience=60)


async def numbered(load: Load, service: str) -> set[str]:
    """The certificate numbers that a service knows."""
    return await FactReader(load.system.operator, (service,)).keys(f"{service}.numbered")


async def recovery_state(load: Load) -> operations.Recovery:
    state: operations.Recovery = await load.system.operator.ask(operations.AskRecovery(), service=SERVICE)
    return state


async def test_certificates_restored_from_an_old_backup_assigns_no_number_twice(
    load: Load, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    behind = 200 if request.config.getoption("--full-scale") else 12
    stack, operator, which = load.system.stack, load.system.operator, DatabaseTarget(load.system.stack.root)
    await load.send(behind)
    await load.check_arrival()
    waiting = await load.submitted()
    await asyncio.to_thread(backup, SERVICE, to=tmp_path, which=which)
    (file,) = tmp_path.glob("*.copy")
    await load.system.decide(waiting)  # submitted before the backup, issued after it
    await load.send(behind)
    load.sent += 1
    await load.check_arrival()
    before = await numbered(load, "tracking")
    (issued_after,) = [(await waiting.issued()).reference]
    assert len(before) == 2 * behind + 1

    await stack.stop(SERVICE)
    await asyncio.to_thread(restore, SERVICE, file, which=which)
    await stack.start(SERVICE)

    assert (await recovery_state(load)).recovering
    with pytest.raises(AskRefused, match="service_recovering"):
        await load.exporter.person.ask(SubmitCertificate(certificate_id=waiting.certificate_id))
    question = GetCertificate(certificate_id=waiting.certificate_id)
    assert (await load.exporter.person.ask(question)).status == "submitted"  # it still answers questions
    with pytest.raises(AskRefused, match="recovery_not_compared"):
        await operator.ask(operations.ConfirmRecovery(), service=SERVICE)

    await recover(SERVICE, where=load.where)

    output = capsys.readouterr().out
    assert "It replayed " in output
    assert "fees.assessed without certificates.submitted" in output
    assert (await recovery_state(load)).recovering, "until an operator confirms"
    await recover(SERVICE, confirm=True, where=load.where)
    assert not (await recovery_state(load)).recovering

    assert await numbered(load, SERVICE) == before  # the documents were replayed
    assert (await load.exporter.person.ask(question)).reference == issued_after
    await stack.ready([SERVICE])
    await load.send(behind)

    async def has_more() -> bool | None:
        return True if len(await numbered(load, "tracking")) == 3 * behind + 1 else None

    await until(has_more, "the certificates after the recovery")
    everything = sorted(await numbered(load, "tracking"))
    assert [int(reference[-6:]) for reference in everything] == list(range(1, 3 * behind + 2))
    findings = await audited(operator, stack.services, patience=30)
    assert [finding.says for finding in findings if not finding.holds] == []
    assert sum(finding.lost for finding in findings) == behind  # submitted after the backup: known to fees, lost here
    await recover(SERVICE, where=load.where)
    assert "is not in recovery" in capsys.readouterr().out
