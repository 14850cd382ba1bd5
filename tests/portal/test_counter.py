"""The counter: an invoice is found, a slip is entered once, and the receipt is printed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from shared.contracts.certificates.issuing import SubmitCertificate
from shared.contracts.fees import GetInvoice
from tests.support.portal import System, a_consignment, a_system


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def test_a_slip_is_entered_once_whatever_the_cashier_presses(system: System) -> None:
    exporter = await system.exporter()
    assert exporter.session
    product = await system.product(exporter, description="Cotton shirts", hs_code="620520", criterion={"kind": "SP"})
    item = a_consignment(product)["items"][0] | {"unit": "PCS", "quantity": "4200", "hs_code": "620520"}
    certificate_id = await system.certificate(exporter, product, items=[item])
    await system.ask(SubmitCertificate(certificate_id=certificate_id), token=exporter.session.token)
    browser = await system.signed_in(await system.officer("cashier"))

    assert "No invoice has this reference" in await browser.get("/cashier?search=%3Cscript%3E")
    text = await browser.get("/cashier?search=angkor")
    assert browser.path == f"/portal/cashier/{certificate_id}"
    assert "216,000 KHR" in text
    text = await browser.send(str(certificate_id), slip_number="aba-1", amount_khr="100,000")
    assert "216,000 KHR are owed; the slip says 100,000 KHR" in text
    sent = dict(browser.form(str(certificate_id)).form_values()) | {"amount_khr": "216,000"}
    for _press in range(2):  # the second one is the back button, or a double click
        response = await browser.http.post(browser.path, data=sent)
        assert "The payment is recorded" in response.text
    fresh = {name: value for name, value in sent.items() if name != "once"}
    response = await browser.http.post(browser.path, data=fresh)
    assert "already recorded for this certificate: the payment was not entered twice" in response.text

    invoice = await system.ask(GetInvoice(certificate_id=certificate_id), token=exporter.session.token)
    assert (invoice.paid_khr, len(invoice.payments)) == (216_000, 1)
    text = await browser.get(f"/cashier/{certificate_id}/receipt")
    assert "ABA-1" in text
    assert "Paid in all" in text
    assert "216,000 KHR" in await browser.get("/tariff")
    browser.http.headers["accept-language"] = "km"
    assert "សម្លៀកបំពាក់ លើសពី 2000 PCS" in await browser.get("/tariff")
    assert "សម្លៀកបំពាក់ លើសពី 2000 PCS" in await browser.get(f"/cashier/{certificate_id}")

    payer = await system.signed_in(exporter)
    assert "What the fee is made of" in await payer.get(f"/payments/{certificate_id}")
    assert "Bank slip" not in payer.text
    text = await payer.get(f"/payments/{certificate_id}/receipt")
    assert "ABA-1" in text
    assert "Joint Prakas 315" in text
