"""An issued certificate is replaced by its exporter, or cancelled by an officer, on its page."""

from uuid import UUID

import pytest

from shared.contracts.certificates.issuing import ApproveCertificate, ReviewCertificate
from tests.portal.test_certificates import an_issued_certificate, decide
from tests.portal.test_deciding import state_of
from tests.support.portal import Browser, System
from tests.support.service_under_test import a_person

pytestmark = pytest.mark.slow

NEW = {
    "consignment.transport.departure_date": "2026-12-09",
    "all.invoice_number": "ARM-2",
    "all.invoice_date": "2026-11-22",
    "consignment.items.0.quantity": "30000",
}


async def test_an_approver_cancels_with_a_reason_and_confirms_it(system: System) -> None:
    exporter, certificate_id = await an_issued_certificate(system)
    approver = await system.officer("approver")
    browser, here = await system.signed_in(approver), f"/certificates/{certificate_id}"
    await browser.get(here)
    assert "Fill in this field." in await browser.send(f"{here}/cancel", reason="issued_in_error", remarks="")
    assert (await state_of(system, certificate_id, exporter)).status == "issued"
    text = await browser.send(f"{here}/cancel", reason="issued_in_error", remarks="Box 7 names other goods.")
    assert "Cancel the certificate" in text
    assert "Box 7 names other goods." in text

    await browser.send("/confirm", code=approver.code())

    assert (await state_of(system, certificate_id, exporter)).cancelled_because == "issued_in_error"
    company = await system.signed_in(exporter)
    text = await company.get(here)
    for part in ("Cancelled on", "The certificate was issued in error.", "Box 7 names other goods."):
        assert part in text
    assert not company.page.xpath("//form[contains(@action, '/replace')]")
    assert str(certificate_id) in await source(company, "/certificates?tab=cancelled")


async def source(browser: Browser, path: str) -> str:
    """The page with its markup."""
    await browser.get(path)
    assert browser.response is not None
    return browser.response.text


async def test_an_officer_of_another_office_is_not_offered_the_cancellation(system: System) -> None:
    _, certificate_id = await an_issued_certificate(system)
    browser = await system.signed_in(await system.officer("approver", office="SHV"))
    await browser.get(f"/certificates/{certificate_id}")
    assert not browser.page.xpath("//form[contains(@action, '/cancel')]")


async def test_an_exporter_replaces_a_certificate_and_both_name_each_other(system: System) -> None:
    exporter, former = await an_issued_certificate(system)
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{former}")
    reference = (await state_of(system, former, exporter)).reference
    assert f"It replaces {reference}, which is cancelled when this certificate is issued." in await browser.send("/replace")
    await browser.send("/complete", **NEW)
    text = await browser.send("/review", then="submit")
    assert "The certificate is with the ministry" in text
    assert browser.page.xpath(f"//a[@href='/portal/certificates/{former}']")
    new = UUID(browser.path.rpartition("/")[2])

    await decide(system, ReviewCertificate(certificate_id=new, worksheet="Complete."))
    await decide(system, ApproveCertificate(certificate_id=new), a_person("approver"))

    text = await browser.get(f"/certificates/{former}")
    assert "This certificate replaces it:" in text
    assert browser.page.xpath(f"//a[@href='/portal/certificates/{new}']")
    assert "Another certificate replaces it." in text
    assert (await state_of(system, new, exporter)).status == "issued"


async def test_a_second_replacement_is_refused_with_the_reference(system: System) -> None:
    exporter, former = await an_issued_certificate(system)
    for _ in range(2):
        browser = await system.signed_in(exporter)
        await browser.get(f"/certificates/{former}")
        await browser.send("/replace")
        await browser.send("/complete", **NEW)
        text = await browser.send("/review", then="save")
    assert "is under way. Continue that one, or discard it first." in text
