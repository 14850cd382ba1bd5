"""Back-to-back in the portal: an exporter names an original and sees what remains; officers enter originals and decide."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.gateway.originals import ReceivedDocumentChanged
from tests.portal.test_filing import fill_in, typed
from tests.registry.people import Human
from tests.support.portal import Browser, System

DAY = date(2026, 3, 2)


async def an_original(system: System, **changes: Any) -> str:
    """A new original of Thailand for 40,000 kilograms of rice arrives; returns its reference."""
    reference = f"D2026-BKK-{uuid4().int % 10**9:09}"
    items = ({"number": 1, "hs_code": "100630", "description": "Thai rice", "quantity": "40000", "unit": "KGM"},)
    event = ReceivedDocumentChanged.model_validate(
        {
            "document_id": uuid4(),
            "country": "TH",
            "reference": reference,
            "issued_on": DAY,
            "valid_until": date(2027, 3, 2),
            "consignee": "Angkor Rice Mills",
            "usable": True,
            "items": items,
            "version": 1000,
            "occurred_at": system.registry.clock.now(),
            **changes,
        }
    )
    await system.services["certificates"].receive(event)
    return reference


def covered_by(reference: str, day: str = str(DAY), **values: str) -> dict[str, str]:
    """The fields of an item that this original covers."""
    named = {"original__country": "TH", "original__reference": reference, "original__issued_on": day, "original__line": "1"}
    return typed(0, **named | values)


async def to_the_item(system: System) -> tuple[Human, Browser]:
    """An exporter who has filled in a certificate and opens its only item."""
    exporter = await system.exporter()
    browser = await system.signed_in(exporter)
    await fill_in(browser, await system.product(exporter))
    await browser.get(browser.path.removesuffix("/review") + "/goods/1")
    return exporter, browser


async def test_an_exporter_sees_what_remains_only_with_the_exact_date(system: System) -> None:
    reference = await an_original(system)
    _, browser = await to_the_item(system)
    text = await browser.send("/goods/1", **covered_by(reference, "2026-03-03"), then="check")
    assert "No original has this country, reference and date." in text
    assert "Thai rice" not in text
    text = await browser.send("/goods/1", **covered_by(reference), then="check")
    assert "Thai rice · HS 100630" in text
    assert "40,000 KGM" in text
    assert "Angkor Rice Mills Co" not in text.split("What remains")[1]


@pytest.mark.slow
async def test_a_back_to_back_certificate_is_submitted_and_the_officer_sees_its_original(system: System) -> None:
    reference = await an_original(system)
    _, browser = await to_the_item(system)
    await browser.send("/goods/1", **covered_by(reference))
    assert f"original {reference} of" in await browser.send("/goods")
    await browser.send("/review", then="submit")
    assert "✓ Back-to-back CO" in browser.text
    assert "15,000 of 40,000 KGM remain" in browser.text
    assert "Open the original" not in browser.text
    certificate = browser.path

    officer = await system.signed_in(await system.officer("reviewer"))
    text = await officer.get(certificate)
    assert "15,000 of 40,000 KGM remain" in text
    assert "consignee: Angkor Rice Mills" in text
    (link,) = officer.page.xpath("//a[text()='Open the original']/@href")
    text = await officer.get(link)
    assert "Item 1 of a certificate · line 1 · reserved" in text
    assert "25,000 KGM" in text


async def test_a_certificate_that_takes_too_much_is_told_what_is_left(system: System) -> None:
    reference = await an_original(system)
    _, browser = await to_the_item(system)
    await browser.send("/goods/1", **covered_by(reference, quantity="40000.5"))
    await browser.send("/goods")
    text = await browser.send("/review", then="submit")
    assert "Item 1 takes more than the original has left: 40000 KGM." in text


async def test_an_unfinished_original_is_missing_on_the_last_page(system: System) -> None:
    _, browser = await to_the_item(system)
    await browser.send("/goods/1", **typed(0, original__country="TH"))
    text = await browser.send("/goods")
    assert "Item 1: Reference of the original: Fill in this field." in text


async def test_an_officer_enters_a_paper_original_line_by_line(system: System) -> None:
    browser = await system.signed_in(await system.officer("approver"))
    await browser.get("/originals")
    await browser.get("/originals/new")
    fields = {
        "country": "LA",
        "reference": f"VTE {uuid4().hex[:8]}",
        "issued_on": "2026-09-01",
        "valid_until": "2027-09-01",
        "consignee": "Angkor Rice Mills",
    }
    text = await browser.send("/originals/new", **fields, goods="1; 100630; 500; kgm; Sticky rice\n2; 1006; x; KGM; Rice")
    assert "Line 2, HS code:" in text
    goods = "1; 1006.30; 500; kgm; Sticky rice; milled\n\n2\t100640\t7.5\tKGM\tBroken rice"
    text = await browser.send("/originals/new", **fields, goods=goods)
    assert "Entered." in text
    assert "On paper" in text
    assert "Sticky rice; milled · HS 100630" in text
    assert "7.5 KGM" in text
    assert "No original has this country and reference." in await browser.get("/originals?country=TH&reference=%22%3E%3Cx")


async def test_a_company_cannot_open_the_page_of_originals(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await browser.get("/originals")
    assert browser.response is not None
    assert browser.response.status_code == 403


async def test_the_pages_are_in_khmer(system: System) -> None:
    reference = await an_original(system)
    browser = await system.signed_in(await system.officer("reviewer"), "km")
    text = await browser.get(f"/originals?country=TH&reference={reference}")
    assert "វិញ្ញាបនបត្រដើម" in text
    assert "នៅសល់" in text
