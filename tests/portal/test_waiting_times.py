"""Officers see how long certificates wait, by status and destination."""

import pytest

from tests.portal.test_certificates import an_issued_certificate
from tests.support.portal import System

pytestmark = pytest.mark.slow


async def test_an_officer_sees_the_medians_of_the_own_office_and_of_all(system: System) -> None:
    await an_issued_certificate(system)
    browser = await system.signed_in(await system.officer("reviewer"))

    home = await browser.get("/")
    assert "How long certificates wait" in home
    text = await browser.get("/waiting-times")

    assert "Ministry of Commerce, Phnom Penh" in text
    for expected in ("All destinations 1 minute 1", "Malaysia 1 minute 1"):
        assert expected in text
    assert "All destinations 1 minute 1" in await browser.get("/waiting-times?office=all")
    other = await system.signed_in(await system.officer("reviewer", office="SHV"))
    assert "No certificate has left a status yet." in await other.get("/waiting-times")
    company = await system.signed_in(await system.exporter())
    await company.get("/waiting-times")
    assert company.response is not None
    assert company.response.status_code == 403
