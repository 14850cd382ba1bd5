"""Documents of partners: the customs viewer finds one, and reads its boxes and all its items."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

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
