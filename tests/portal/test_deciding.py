"""Officers decide: from the queue, one by one or many at once, on the version that they have seen."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.certificates.issuing import ReviewCertificate, SubmitCertificate
from tests.registry.people import Human
from tests.support.portal import System, a_system


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def submitted(system: System, exporter: Human, count: int = 1, **changes: Any) -> list[UUID]:
    """Submitted certificates of a company."""
    assert exporter.session
    product = await system.product(exporter)
    found = [await system.certificate(exporter, product, **changes) for _ in range(count)]
    for each in found:
        await system.ask(SubmitCertificate(certificate_id=each), token=exporter.session.token)
    return found


async def reviewed(system: System, certificates: list[UUID]) -> Human:
    """An officer who has reviewed the certificates."""
    officer = await system.officer("reviewer")
    assert officer.session
    for each in certificates:
        await system.ask(ReviewCertificate(certificate_id=each, worksheet="Complete."), token=officer.session.token)
    return officer


async def test_many_are_approved_with_one_code_and_each_outcome_is_told(system: System) -> None:
    certificates = await submitted(system, await system.exporter(), 3)
    await reviewed(system, certificates)
    approver = await system.officer("approver")
    browser = await system.signed_in(approver)

    await browser.get("/queue")
    await browser.send("/queue/approve", chosen=[f"{each}:3" for each in certificates])
    print(browser.path, browser.text)
    assert "Confirm 3 decisions" in browser.text
    approver.later()
    text = await browser.send("/confirm", code=approver.code())
    print(text)
    assert "All 3 decisions are done" in text
