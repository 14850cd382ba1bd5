"""A service comes back from an older copy, and no number is given twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cli.audit import audited
from cli.copies import Which, backup, restore
from cli.ledgers import Ledgers
from cli.people import until
from cli.recover import recover
from shared.bus.client import AskRefused, BusClient
from shared.contracts import operations
from shared.contracts.certificates.issuing import GetCertificate, SubmitCertificate
from tests.stories.conftest import a_nation
from tests.stories.faults.crowd import PARTNER, Crowd

pytestmark = pytest.mark.slow

SERVICE = "certificates"


@pytest_asyncio.fixture(loop_scope="package")
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    async with (
        a_nation(tmp_path / "nation", (PARTNER,)) as nation,
        await BusClient.connect("operator", nation.stack.nats_url, nation.stack.seed("operator", PARTNER)) as partner,
    ):
        yield await Crowd.gather(nation, partner, patience=60)


async def numbered(crowd: Crowd, service: str) -> set[str]:
    """The numbers that a service knows."""
    return await Ledgers(crowd.nation.operator, (service,)).keys(f"{service}.numbered")


async def is_recovering(crowd: Crowd) -> operations.Recovery:
    state: operations.Recovery = await crowd.nation.operator.ask(operations.AskRecovery(), service=SERVICE)
    return state


async def test_certificates_restored_from_an_old_copy_gives_no_number_twice(
    crowd: Crowd, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    behind = 200 if request.config.getoption("--full-scale") else 12
    stack, operator, which = crowd.nation.stack, crowd.nation.operator, Which(crowd.nation.stack.root)
    await crowd.send(behind)
    await crowd.must_have_arrived()
    waiting = await crowd.submitted()
    await asyncio.to_thread(backup, SERVICE, to=tmp_path, which=which)
    (copy,) = tmp_path.glob("*.copy")
    await crowd.nation.decide(waiting)  # it was only submitted in the copy, and is issued after it
    await crowd.send(behind)
    crowd.sent += 1
    await crowd.must_have_arrived()
    given = await numbered(crowd, "tracking")
    (issued_after,) = [(await waiting.issued()).reference]
    assert len(given) == 2 * behind + 1

    await stack.stop(SERVICE)
    await asyncio.to_thread(restore, SERVICE, copy, which=which)
    await stack.start(SERVICE)

    assert (await is_recovering(crowd)).recovering
    with pytest.raises(AskRefused, match="service_recovering"):
        await crowd.exporter.person.ask(SubmitCertificate(certificate_id=waiting.certificate_id))
    question = GetCertificate(certificate_id=waiting.certificate_id)
    assert (await crowd.exporter.person.ask(question)).status == "submitted"  # it still answers
    with pytest.raises(AskRefused, match="recovery_not_compared"):
        await operator.ask(operations.ConfirmRecovery(), service=SERVICE)

    await recover(SERVICE, where=crowd.where)

    said = capsys.readouterr().out
    assert "It read " in said
    assert "fees.assessed without certificates.submitted" in said
    assert (await is_recovering(crowd)).recovering, "until an operator confirms"
    await recover(SERVICE, confirm=True, where=crowd.where)
    assert not (await is_recovering(crowd)).recovering

    assert await numbered(crowd, SERVICE) == given  # the documents were read back
    assert (await crowd.exporter.person.ask(question)).reference == issued_after
    await stack.ready([SERVICE])
    await crowd.send(behind)

    async def has_more() -> bool | None:
        return True if len(await numbered(crowd, "tracking")) == 3 * behind + 1 else None

    await until(has_more, "the certificates after the recovery")
    everything = sorted(await numbered(crowd, "tracking"))
    assert [int(reference[-6:]) for reference in everything] == list(range(1, 3 * behind + 2))
    findings = await audited(operator, stack.services, patience=30)
    assert [finding.says for finding in findings if not finding.holds] == []
    assert sum(finding.lost for finding in findings) == behind  # submitted after the copy: known to fees, and gone here
    await recover(SERVICE, where=crowd.where)
    assert "is not in recovery" in capsys.readouterr().out
