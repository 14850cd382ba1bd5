"""Administrators invite officers and change their accounts; auditors read; customs read what others sent."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from services.portal.reference_data import is_late
from tests.support.portal import System, a_system

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def test_an_administrator_invites_changes_and_deactivates_officers(system: System) -> None:
    administrator = system.administrator
    browser = await system.signed_in(administrator)

    await browser.get("/officers/invite")
    assert "Fill in this field" in await browser.send("/invite", name="", email="vanna@ministry.example", roles=["reviewer"])
    text = await browser.send("/invite", name="Vanna <b>Sok</b>", roles=["reviewer"], office="SHV")
    assert "Invite an officer" in text
    assert "Reviewer" in text
    assert "Preah Sihanouk" in text
    assert "Invited." in await browser.send("/confirm", code=administrator.code())
    administrator.later()

    officer = await system.officer("cashier")
    assert officer.session
    path = f"/officers/{officer.session.user_id}"
    await browser.get(path)
    assert "Registration officer" in await browser.send("/roles", roles=["registration_officer"])
    assert "The roles are changed" in await browser.send("/confirm", code=administrator.code())
    administrator.later()
    await browser.send("/deactivate")
    assert "The account is deactivated" in await browser.send("/confirm", code=administrator.code())
    assert "You cannot change this account here" in await browser.get(f"/officers/{administrator.session.user_id}")  # type: ignore[union-attr]


async def test_an_auditor_reads_and_changes_nothing(system: System) -> None:
    browser = await system.signed_in(await system.officer("auditor"))

    assert "sealed audit log" in await browser.get("/audit")
    assert "Invite an officer" not in await browser.get("/officers")
    assert "not for your role" in await browser.get("/officers/invite")


@pytest.mark.parametrize(("days", "late"), [(1.9, False), (2.1, True)])
def test_a_certificate_waits_too_long_after_its_service_level(days: float, late: bool) -> None:
    assert is_late("submitted", NOON - timedelta(days=days), NOON) is late


def test_nothing_is_late_without_a_service_level() -> None:
    assert not is_late("issued", NOON - timedelta(days=900), NOON)
