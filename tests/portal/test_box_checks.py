"""What to correct in the boxes of a certificate is shown while it is a draft, and refused in the same places."""

from typing import Any

import pytest

from shared.contracts.certificates.content import GetCertificateContent
from shared.contracts.certificates.issuing import CertificateStatus
from tests.portal.test_filing import begin, certificates_of, fill_in, typed
from tests.registry.builders import a_pdf
from tests.support.portal import Browser, System
from tests.support.service_under_test import a_person


def advice(browser: Browser) -> list[str]:
    """The hints beside the fields of the page."""
    return [" ".join(each.text_content().split()) for each in browser.page.find_class("advice")]


def links(browser: Browser) -> set[str]:
    """The addresses that the notices of the page link to."""
    return {link.get("href") for notice in browser.page.find_class("notice") for link in notice.iter("a")}


async def test_a_hint_stands_at_its_field_after_the_step_is_saved_and_at_the_top(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await begin(browser)
    await browser.send("/consignee", consignment__consignee__name="ក្រុមហ៊ុនអង្គរ", consignment__destination="MY")
    await browser.send("/transport", consignment__transport__vessel="BY SEA MEKONG 12")
    base = browser.path.rpartition("/goods")[0]

    await browser.get(f"{base}/transport")
    assert advice(browser) == [
        "To correct: Box 3 has no prefix such as BY SEA: write only the name of the vessel, aircraft or vehicle."
    ]
    assert "One thing to correct before you submit" in browser.text
    assert links(browser) == {f"{base}/transport#f-consignment-transport-vessel"}

    await browser.get(f"{base}/consignee")
    assert "the character ក (U+1780): use the Latin alphabet" in advice(browser)[0]
    await browser.send("/consignee", consignment__consignee__name="Angkor Trading")
    await browser.get(f"{base}/consignee")
    assert advice(browser) == []


@pytest.mark.slow
async def test_all_problems_are_listed_before_the_submission_and_a_draft_can_still_be_saved(system: System) -> None:
    exporter = await system.exporter()
    product_id = await system.product(exporter)
    browser = await system.signed_in(exporter)
    await fill_in(browser, product_id)
    base = browser.path.removesuffix("/review")
    await browser.get(f"{base}/goods/1")
    await browser.send("/goods/1", **typed(0, product_id=str(product_id), manufacturer="", fob__amount="0"))

    text = await browser.get(f"{base}/review")

    assert "2 things are missing or wrong" in text
    assert "Box 7 · Item 1: Manufacturer: Box 7 names the manufacturer" in text
    assert {f"{base}/goods/1#f-consignment-items-0-{name}" for name in ("manufacturer", "fob-amount")} <= links(browser)
    buttons = {each.get("value"): each.get("disabled") for each in browser.page.iter("button") if each.get("name") == "then"}
    assert buttons == {"submit": "disabled", "draft": None}

    text = await browser.send("/review", then="draft")
    assert "Saved as a draft" in text
    assert "2 things to correct before you submit" in text
    assert "#item-1" in links(browser)
    assert "To correct: The FOB value is 0" in text

    text = await browser.send("/submit")
    assert "Box 7, item 1: Box 7 names the manufacturer" in text
    assert "Box 9, item 1: The FOB value is 0" in text
    assert await certificates_of(system, exporter, CertificateStatus.DRAFT) == 1

    await browser.send("/edit", box="7", item="1")
    assert len(advice(browser)) == 2
    item = browser.path.rpartition("/portal")[2]
    await browser.send(item, consignment__items__0__manufacturer="Angkor Mill", consignment__items__0__fob__amount="18500")
    await browser.send("/goods")
    assert "The certificate is with the ministry" in await browser.send("/review", then="submit")


async def test_several_invoices_a_third_country_and_an_exhibition_are_typed_and_kept(system: System) -> None:
    exporter = await system.exporter()
    product_id = await system.product(exporter)
    browser = await system.signed_in(exporter)
    await fill_in(browser, product_id)
    base = browser.path.removesuffix("/review")
    await browser.get(f"{base}/consignee")
    await browser.send(
        "/consignee",
        consignment__third_country_invoice__name="Broker Pte Ltd",
        consignment__third_country_invoice__country="HK",
        consignment__exhibition__name="Food Expo",
    )
    await browser.get(f"{base}/consignee")
    assert advice(browser) == [
        "To correct: The address of the exhibition is missing: box 2 needs it. Fill it in, or remove the exhibition."
    ]
    await browser.send("/consignee", consignment__exhibition__address="1 Expo Road, Kuala Lumpur")
    await browser.get(f"{base}/goods/1")
    more = "consignment.items.0.more_invoices"
    await browser.send("/goods/1", **{f"{more}.1.number": "ARM-3", f"{more}.1.date": "2026-11-21"})
    await browser.get(f"{base}/goods/1")
    assert browser.form("/goods/1").fields[f"{more}.0.number"] == "ARM-3"
    await browser.send("/goods/1", **{f"{more}.1.number": "ARM-4"})
    await browser.get(f"{base}/goods/1")
    assert "Invoice ARM-4 has no date" in advice(browser)[0]
    assert "Item 1: Date of a further invoice: Invoice ARM-4 has no date" in await browser.get(f"{base}/review")
    await browser.get(f"{base}/goods/1")
    await browser.send("/goods/1", **{f"{more}.1.date": "2026-11-22"})

    text = await browser.get(f"{base}/review")
    assert "ARM-3, 21 November 2026; ARM-4, 22 November 2026" in text
    assert "Broker Pte Ltd Hong Kong" in text
    text = await browser.send("/review", then="submit")

    assert "✓ Third country invoicing: Broker Pte Ltd, Hong Kong" in text
    assert "Exhibition: Food Expo, 1 Expo Road, Kuala Lumpur" in text
    assert "ARM-4, 22 November 2026" in text


async def test_documents_are_attached_read_by_the_officer_and_removed(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await system.certificate(exporter, await system.product(exporter))
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{certificate_id}")

    text = await _attach(browser, b"no PDF at all", kind="invoice")
    assert "not a PDF" in text
    text = await _attach(browser, a_pdf(), kind="")
    assert "Choose one of the list." in text
    assert "is received, checked and attached" in await _attach(browser, a_pdf(), kind="invoice")
    assert "INV-1.pdf · 1 KB" in browser.text
    (link,) = [each.get("href") for each in browser.page.iter("a") if "/attachments/" in (each.get("href") or "")]
    await browser.http.get(link)

    await browser.send("/submit")
    assert "Attach a document" not in browser.text
    officer = a_person("reviewer")
    token = system.services["certificates"].token_of(officer)
    content = await system.ask(GetCertificateContent(certificate_id=certificate_id), token=token)
    (attachment,) = content.attachments
    assert (attachment.kind, attachment.name, attachment.size) == ("invoice", "INV-1.pdf", len(a_pdf()))

    await browser.send("/withdraw")
    await browser.send("/attachments/remove", sha256=attachment.sha256)
    assert "The document is removed." in browser.text
    assert (await browser.http.get(link)).status_code == 404


async def _attach(browser: Browser, content: bytes, **fields: Any) -> str:
    return await browser.send("/attachments", {"attachment": ("INV-1.pdf", content, "application/pdf")}, **fields)
