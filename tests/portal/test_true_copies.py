"""A certified true copy is requested on the page of the certificate, shown on the approver's first page, and confirmed."""

import pytest

from tests.portal.test_certificates import an_issued_certificate
from tests.support.portal import System

pytestmark = pytest.mark.slow


async def test_an_exporter_asks_for_a_copy_and_an_approver_certifies_it(system: System) -> None:
    exporter, certificate_id = await an_issued_certificate(system)
    approver = await system.officer("approver")
    company, officer = await system.signed_in(exporter), await system.signed_in(approver)
    here = f"/certificates/{certificate_id}"
    await company.get(here)

    assert "Fill in this field." in await company.send("/true-copy/request", reason="")
    text = await company.send("/true-copy/request", reason="The courier has lost it.")
    assert "The ministry has your request for a certified true copy." in text
    assert "Requested" in text
    assert not company.page.xpath("//form[contains(@action, '/true-copy/')]")

    assert "Certified true copies requested" in await officer.get("/")
    await officer.get(here)
    assert "The courier has lost it." in officer.text
    text = await officer.send("/true-copy/grant")
    assert "Certify a true copy of the certificate" in text
    await officer.send("/confirm", code=approver.code())
    assert "Certified true copies requested" not in await officer.get("/")

    assert "Copy certified on" in await company.get(here)
    (link,) = [each.get("href") for each in company.page.iter("a") if "/copies/" in (each.get("href") or "")]
    pdf = await company.http.get(link)
    assert pdf.content.startswith(b"%PDF-")


async def test_a_refused_copy_shows_its_reason_and_can_be_requested_again(system: System) -> None:
    exporter, certificate_id = await an_issued_certificate(system)
    company = await system.signed_in(exporter)
    officer = await system.signed_in(await system.officer("approver"))
    here = f"/certificates/{certificate_id}"
    await company.get(here)
    await company.send("/true-copy/request", reason="Lost.")

    await officer.get(here)
    assert "The copy is refused." in await officer.send("/true-copy/refuse", reason="The export documents are missing.")

    assert "The export documents are missing." in await company.get(here)
    assert company.page.xpath("//form[contains(@action, '/true-copy/request')]")
    other = await system.signed_in(await system.officer("approver", office="SHV"))
    await other.get(here)
    assert not other.page.xpath("//form[contains(@action, '/true-copy/')]")
