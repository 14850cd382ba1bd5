"""Export declarations (ACDD) on the pages: the exporter sends one, an approver holds it, customs read that of a partner."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import insert

from services.gateway.domain import Step
from services.gateway.handlers.sending import advance
from services.gateway.store import inbound_documents, transmissions_of
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import ExchangedDocuments
from shared.contracts.gateway.declarations import DeclaredItem, ExportDeclaration, Trader, TransportMode
from tests.gateway.builders import a_partner, a_signer
from tests.support.portal import Browser, System, a_system

from .test_certificates import an_issued_certificate

pytestmark = pytest.mark.slow

TYPED = {"permit_number": "ED-2026-004711", "exporter_number": "L001-100000027", "transport_mode": "sea"}


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def a_certificate(system: System, *, exchanged: bool = True) -> tuple[Browser, str, UUID]:
    """The page of an issued certificate for a country that exchanges declarations, its exporter, and its id."""
    exporter, certificate_id = await an_issued_certificate(system)
    gateway = system.services["gateway"]
    async with gateway.work() as work:
        (transmission,) = await transmissions_of(work, certificate_id)
        rows: Any = work.use(Exchange).partners.rows
        partner = a_partner(transmission.destination, a_signer(transmission.destination))
        rows[partner.country] = replace(partner, documents=(ExchangedDocuments(code="acdd"),) if exchanged else ())
    browser = await system.signed_in(exporter)
    here = f"/certificates/{certificate_id}"
    await browser.get(here)
    return browser, here, certificate_id


async def test_an_exporter_sends_the_declaration_and_sees_its_codes(system: System) -> None:
    browser, here, certificate_id = await a_certificate(system)
    assert "Send the export declaration too (ACDD)" in browser.text
    assert "You need not do this." in browser.text

    await browser.send(f"{here}/declaration", **TYPED)

    assert "The export declaration is on its way." in browser.text
    (card,) = browser.page.xpath("//*[@id='declaration']")
    assert "AS1" in card.text_content()
    assert not browser.page.xpath("//form[contains(@action, '/declaration')]"), "it is sent once"

    gateway = system.services["gateway"]
    async with gateway.work() as work:
        (sent,) = await transmissions_of(work, certificate_id, "acdd")
        for code in ("AS2", "NOT"):
            advance(sent, Step(code, gateway.clock.now(), sent.destination, ["permit_unknown"], "Unknown permit."), work)
    assert "Correct and send the export declaration again" in await browser.get(here)
    assert "Unknown permit." in browser.text
    await browser.send(f"{here}/declaration", **TYPED | {"permit_number": "ED-2026-004712"})
    assert "The export declaration is on its way." in browser.text


async def test_what_is_missing_is_named_at_its_field(system: System) -> None:
    browser, here, _ = await a_certificate(system)
    await browser.send(f"{here}/declaration", transport_mode="sea", exporter_number="L001-100000027")
    assert "Fill in this field." in browser.text
    assert browser.page.xpath("//details[@open]//input[@name='permit_number']"), "the form stays open"


async def test_the_form_is_not_there_if_the_destination_exchanges_no_declarations(system: System) -> None:
    browser, _, _ = await a_certificate(system, exchanged=False)
    assert "ACDD" not in browser.text


async def test_a_destination_that_stops_the_exchange_is_named(system: System) -> None:
    browser, here, certificate_id = await a_certificate(system)
    async with system.services["gateway"].work() as work:
        (transmission,) = await transmissions_of(work, certificate_id)
        rows: Any = work.use(Exchange).partners.rows
        rows[transmission.destination] = replace(rows[transmission.destination], documents=())
    await browser.send(f"{here}/declaration", **TYPED)
    assert "does not exchange documents of this kind" in browser.text


async def test_the_page_is_in_khmer_too(system: System) -> None:
    browser, here, _ = await a_certificate(system)
    await browser.send("/language", language="km", back=f"/portal{here}")
    assert "ផ្ញើសេចក្តីប្រកាសនាំចេញផងដែរ (ACDD)" in await browser.get(here)


async def test_an_approver_holds_a_declaration_and_resumes_it(system: System) -> None:
    browser, here, _ = await a_certificate(system)
    await browser.send(f"{here}/declaration", **TYPED)
    approver = await system.signed_in(await system.officer("approver"))
    await approver.get(here)

    await approver.send(f"{here}/declaration/hold", declaration_reason=" ")
    assert "Fill in this field." in approver.text
    await approver.get(here)
    await approver.send(f"{here}/declaration/hold", declaration_reason="The permit is checked.")
    assert "It is not sent yet: The permit is checked." in approver.text
    await approver.send(f"{here}/declaration/resume")
    assert approver.page.xpath("//form[contains(@action, '/declaration/hold')]")


DECLARATION = ExportDeclaration(
    reference="XD2026-HN-000007",
    issuing_country="VN",
    destination="KH",
    permit_number="VN-EX-77",
    exporter=Trader(name="Hanoi Steel", address="1 Hang Bai", identifier="0100109106"),
    consignee=Trader(name="Mekong Import", address="2 Riverside"),
    departure_date=date(2026, 3, 5),
    transport_mode=TransportMode.ROAD,
    port_of_discharge="Bavet",
    certificate="D2026-HN-000007",
    items=tuple(
        DeclaredItem(number=each, hs_code="72139110", quantity=Decimal(each * 10), unit="TNE", country_of_origin="VN")
        for each in range(1, 103)
    ),
)


async def test_customs_read_a_declaration_of_a_partner_and_decide_nothing(system: System) -> None:
    row = {
        "document_id": UUID(int=77),
        "sender": "VN",
        "reference": DECLARATION.reference,
        "number": 1,
        "document": DECLARATION.model_dump_json(),
        "message": b"",
        "received_at": datetime(2026, 3, 2, 5, tzinfo=UTC),
        "decided_at": datetime(2026, 3, 2, 6, tzinfo=UTC),
        "reasons": [],
        "kind": "acdd",
    }
    async with system.services["gateway"].work() as work:
        await work.session.execute(insert(inbound_documents).values(row))
    browser = await system.signed_in(await system.officer("customs_officer"))

    assert "ASEAN Customs Declaration Document (ACDD)" in await browser.get("/received")
    assert "With customs" in browser.text
    await browser.get(browser.page.xpath("//tbody//th/a/@href")[0])
    for expected in ("Hanoi Steel", "0100109106", "Mekong Import", "VN-EX-77", "Road", "Bavet", "Viet Nam", "72139110"):
        assert expected in browser.text, expected
    assert len(browser.page.xpath("//tbody/tr")) == 100
    assert not browser.page.xpath("//form[contains(@action, '/decide') or contains(@action, '/ask')]")
    await browser.get(browser.page.xpath("//a[@rel='next']/@href")[0])
    assert len(browser.page.xpath("//tbody/tr")) == 2
