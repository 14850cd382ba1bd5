"""Documents of partners: customs find one, read its boxes and all its items, and decide on the preference."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import insert

from services.gateway.store import verification_cases
from services.portal.pages.received import items_in
from tests.gateway.builders import a_form, an_item
from tests.gateway.test_gateway_lists import a_received_document
from tests.support.portal import System, a_system


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def test_a_customs_viewer_reads_a_received_document_with_all_its_items(system: System) -> None:
    items = tuple(an_item(number) for number in range(1, 102))
    form = a_form(reference="D2026-HN-000007", issuing_country="VN", destination="KH", items=items)
    await a_received_document(system.services["gateway"], 7, form=form)
    browser = await system.signed_in(await system.officer("customs_viewer"))

    assert "Viet Nam" in await browser.get("/received?search=d2026-hn")
    await browser.get(browser.page.xpath("//tbody//th/a/@href")[0])
    for expected in ("D2026-HN-000007", form.exporter.name, form.consignee.address, form.vessel, items[0].invoice_number):
        assert expected in browser.text, expected
    assert len(browser.page.xpath("//tbody/tr")) == 100
    await browser.get(browser.page.xpath("//a[@rel='next']/@href")[0])
    assert [row.text_content() for row in browser.page.xpath("//tbody/tr/td[1]")] == ["101"]
    assert "was received from TH" in await browser.get("/received/TH/D2026-HN-000007")
    assert browser.response is not None
    assert browser.response.status_code == 404


DECIDED = {"decided_at": datetime(2026, 3, 2, 6, tzinfo=UTC)}
HERE = "/received/VN/D2026-HN-000007"


async def a_document_at_customs(system: System) -> None:
    items = tuple(an_item(number) for number in range(1, 8))
    form = a_form(reference="D2026-HN-000007", issuing_country="VN", destination="KH", items=items)
    await a_received_document(system.services["gateway"], 7, form=form, **DECIDED)


async def test_a_customs_officer_utilises_a_document_in_part_and_then_in_full(system: System) -> None:
    await a_document_at_customs(system)
    browser = await system.signed_in(await system.officer("customs_officer"))
    await browser.get(HERE)

    await browser.send(f"{HERE}/decide", outcome="in_part", reason="goods_mismatch", items="2, 5-7", remarks="Too few.")
    for expected in ("Utilised in part. The issuing country is informed.", "2, 5, 6, 7", "Too few.", "waits"):
        assert expected in browser.text, expected

    await browser.send(f"{HERE}/decide", outcome="utilised", declaration="IM4-2026-000123")
    assert "Utilised in full. The issuing country is informed." in browser.text
    assert "IM4-2026-000123" in browser.text
    assert not browser.page.xpath(f"//form[contains(@action, '{HERE}/decide')]"), "nothing can follow"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Choose one of the list."),
        ({"outcome": "denied"}, "Choose why the preference is denied."),
        ({"outcome": "in_part", "reason": "goods_mismatch"}, "Type the numbers of the items, such as 2, 5-7."),
        ({"outcome": "in_part", "reason": "goods_mismatch", "items": "two"}, "Type the numbers of the items"),
        ({"outcome": "in_part", "reason": "goods_mismatch", "items": "9"}, "The document has no item 9."),
        ({"outcome": "utilised", "remarks": "x" * 201}, "This text is too long"),
    ],
)
async def test_an_incomplete_decision_is_shown_again_with_what_to_do(
    system: System, fields: dict[str, str], sentence: str
) -> None:
    await a_document_at_customs(system)
    browser = await system.signed_in(await system.officer("customs_officer"))
    await browser.get(HERE)

    await browser.send(f"{HERE}/decide", **fields)

    assert sentence in browser.text
    assert browser.response is not None
    assert browser.response.status_code == 422


async def test_a_viewer_sees_the_decision_and_decides_nothing(system: System) -> None:
    await a_document_at_customs(system)
    officer = await system.signed_in(await system.officer("customs_officer"))
    await officer.get(HERE)
    await officer.send(f"{HERE}/decide", outcome="denied", reason="not_directly_consigned")
    viewer = await system.signed_in(await system.officer("customs_viewer"))

    await viewer.get(HERE)

    assert "The goods were not consigned directly." in viewer.text
    assert not viewer.page.xpath("//form[contains(@action, '/decide')]")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2, 5-7", (2, 5, 6, 7)),
        ("7,7,1-2", (1, 2, 7)),
        ("", ()),
        ("a", ()),
        ("5-", (5,)),
        ("7-5", ()),
        ("-5", ()),
        ("1-999999", ()),
        ("1-1500, 2000-3500", ()),
        ("1" * 30, ()),
        ("១", (1,)),
    ],
)
def test_numbers_of_items_are_read_from_a_text(text: str, numbers: tuple[int, ...]) -> None:
    assert items_in(text) == numbers


async def test_officers_see_the_partners_and_what_waits(system: System) -> None:
    approver = await system.signed_in(await system.officer("approver"))
    await approver.get("/partners")
    for expected in ("Viet Nam", "Timor-Leste", "Not configured"):
        assert expected in approver.text, expected
    assert "Cambodia" not in [each.text_content() for each in approver.page.xpath("//tbody//th")]


async def test_a_customs_officer_requests_a_document_that_is_not_here(system: System) -> None:
    officer = await system.signed_in(await system.officer("customs_officer"))
    await officer.get("/received")

    await officer.send("/received/request", origin="VN", reference="D2026-HN-000009")
    assert "No partner gateway is configured for VN." in officer.text

    await officer.send("/received/request", origin="VN", reference="nine")
    assert "This does not have the form that is needed here." in officer.text
    viewer = await system.signed_in(await system.officer("customs_viewer"))
    await viewer.get("/received")
    assert not viewer.page.xpath("//form[contains(@action, '/request')]")


async def test_customs_ask_about_a_certificate_and_an_approver_answers_a_partner(system: System) -> None:
    await a_document_at_customs(system)
    officer = await system.signed_in(await system.officer("customs_officer"))
    await officer.get(HERE)
    await officer.send(
        f"{HERE}/ask", reason="goods_mismatch", question="Which of the goods were made in Viet Nam?", asked_items="1-2"
    )
    assert "The issuing authority is asked. It has 90 days to answer." in officer.text
    await officer.get("/verifications")
    assert "Which of the goods were made in Viet Nam?" in officer.text
    assert not officer.page.xpath("//form[contains(@action, '/answer')]")

    case_id = uuid4()
    async with system.services["gateway"].work() as work:
        today = work.today
        values = {"case_id": case_id, "ours": False, "partner": "TH", "reference": "D2026-PNH-000001", "number": 1}
        values |= {"reason": "goods_mismatch", "question": "Is it genuine?", "asked_at": work.now, "answer_by": today}
        await work.session.execute(insert(verification_cases).values(**values, close_by=today, items=[], answered=False))
    approver = await system.signed_in(await system.officer("approver"))
    await approver.get("/verifications")
    for expected in ("D2026-PNH-000001", "Is it genuine?", "Due soon", "Thailand"):
        assert expected in approver.text, expected
    await approver.send(f"/verifications/{case_id}/answer", outcome="origin_confirmed", text=" ")
    assert "Fill in this field." in approver.text
    await approver.send(f"/verifications/{case_id}/answer", outcome="origin_confirmed", text="It is genuine.")
    assert "Answered. The partner is informed." in approver.text
    await approver.get("/verifications?ours=no&closed=yes")
    assert "It is genuine." in approver.text
