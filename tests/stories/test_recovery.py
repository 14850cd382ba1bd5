"""A service comes back from an older copy, and no number is given twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli.commands.audit import audited
from cli.commands.backup import Which, backup, restore
from cli.commands.recover import recover
from cli.consistency_rules import Ledgers
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
        a_running_system(tmp_path / "nation", (PARTNER,)) as system,
        await BusClient.connect("operator", system.stack.nats_url, system.stack.seed("operator", PARTNER)) as partner,
    ):
        yield await Load.gather(system, partner, patience=60)


async def numbered(load: Load, service: str) -> set[str]:
    """The numbers that a service knows."""
    return await Ledgers(load.system.operator, (service,)).keys(f"{service}.numbered")


async def is_recovering(load: Load) -> operations.Recovery:
    state: operations.Recovery = await load.system.operator.ask(operations.AskRecovery(), service=SERVICE)
    return state


async def test_certificates_restored_from_an_old_copy_gives_no_number_twice(
    load: Load, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    behind = 200 if request.config.getoption("--full-scale") else 12
    stack, operator, which = load.system.stack, load.system.operator, Which(load.system.stack.root)
    await load.send(behind)
    await load.must_have_arrived()
    waiting = await load.submitted()
    await asyncio.to_thread(backup, SERVICE, to=tmp_path, which=which)
    (copy,) = tmp_path.glob("*.copy")
    await load.system.decide(waiting)  # it was only submitted in the copy, and is issued after it
    await load.send(behind)
    load.sent += 1
    await load.must_have_arrived()
    given = await numbered(load, "tracking")
    (issued_after,) = [(await waiting.issued()).reference]
    assert len(given) == 2 * behind + 1

    await stack.stop(SERVICE)
    await asyncio.to_thread(restore, SERVICE, copy, which=which)
    await stack.start(SERVICE)

    assert (await is_recovering(load)).recovering
    with pytest.raises(AskRefused, match="service_recovering"):
        await load.exporter.person.ask(SubmitCertificate(certificate_id=waiting.certificate_id))
    question = GetCertificate(certificate_id=waiting.certificate_id)
    assert (await load.exporter.person.ask(question)).status == "submitted"  # it still answers
    with pytest.raises(AskRefused, match="recovery_not_compared"):
        await operator.ask(operations.ConfirmRecovery(), service=SERVICE)

    await recover(SERVICE, where=load.where)

    said = capsys.readouterr().out
    assert "It read " in said
    assert "fees.assessed without certificates.submitted" in said
    assert (await is_recovering(load)).recovering, "until an operator confirms"
    await recover(SERVICE, confirm=True, where=load.where)
    assert not (await is_recovering(load)).recovering

    assert await numbered(load, SERVICE) == given  # the documents were read back
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
    assert sum(finding.lost for finding in findings) == behind  # submitted after the copy: known to fees, and gone here
    await recover(SERVICE, where=load.where)
    assert "is not in recovery" in capsys.readouterr().out
