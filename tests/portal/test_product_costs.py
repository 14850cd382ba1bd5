"""An exporter states the costs of a product in the portal; a reviewer reads the worksheet and decides."""

from typing import Any

from shared.contracts.certificates.products import ProductStatus
from tests.support.portal import Browser, System

SHIRTS: dict[str, Any] = {
    "costs__fob": "12.50",
    "costs__currency": "usd",
    "costs__costed_on": "2026-10-01",
    "processes": "cutting, sewing",
    "costs__materials__0__description": "Knitted fabric",
    "costs__materials__0__hs": "6006.22",
    "costs__materials__0__value": "5.00",
    "costs__materials__0__origin": "cn",
    "costs__materials__0__basis": "cif",
    "costs__materials__0__priced_on": "2026-09-15",
    "costs__labour": "3.60",
    "costs__overhead": "1.50",
    "costs__other": "0.50",
    "costs__profit": "1.90",
}


async def a_product(system: System, criterion: dict[str, str], *, approved: bool = False) -> tuple[Browser, str]:
    """A browser of an exporter with a product of shirts, and the address of its costs."""
    exporter = await system.exporter()
    product_id = await system.product(
        exporter, approved=approved, description="T-shirts of cotton, knitted", hs_code="61091010", criterion=criterion
    )
    return await system.signed_in(exporter), f"/products/{product_id}"


async def send(browser: Browser, address: str, then: str, **changes: str) -> str:
    await browser.get(f"{address}/costs")
    return await browser.send("/costs", then=then, **SHIRTS | changes)


async def test_an_exporter_sees_the_worksheet_before_it_states_the_costs(system: System) -> None:
    browser, address = await a_product(system, {"kind": "RVC", "percentage": "45"})
    assert "State the costs" in await browser.get(address)

    text = await send(browser, address, "assess")
    assert "Origin worksheet" in text
    assert "Claimed: 45% met" in text
    assert "Origin worksheet" not in await browser.get(address)

    text = await send(browser, address, "state")
    assert "The costs are stated" in text
    assert "Origin worksheet" in text
    assert "7.5 / 12.5 = 60 %" in text
    await browser.get(f"{address}/costs")
    assert browser.page.xpath("//input[@name='costs.materials.0.description']/@value") == ["Knitted fabric"]
    assert "សន្លឹកកិច្ចការដើមកំណើត" in await browser.get(f"{address}?sheet=km")


async def test_wrong_figures_stand_at_their_fields(system: System) -> None:
    browser, address = await a_product(system, {"kind": "CTH"})
    text = await send(browser, address, "state", costs__fob="0", costs__materials__0__hs="99")
    assert "FOB" in text
    assert browser.page.xpath("//input[@name='costs.fob' and @aria-invalid]")
    assert browser.page.xpath("//input[@name='costs.materials.0.hs' and @aria-invalid]")
    assert "State the costs" in await browser.get(address)


async def test_a_reviewer_approves_against_the_worksheet_only_for_a_reason(system: System) -> None:
    browser, address = await a_product(system, {"kind": "RVC", "percentage": "70"})
    assert "The costs are stated" in await send(browser, address, "state")
    reviewer = await system.signed_in(await system.officer("reviewer"))

    text = await reviewer.get(address)
    assert "The worksheet does not reach the criterion" in text
    assert "Claimed: 70% not met" in text
    assert "Approved. Certificates can name" not in await reviewer.send("/approve", reason="")
    text = await reviewer.send("/approve", reason="The fabric is of Viet Nam.")
    assert "Approved. Certificates can name" in text
    assert "Approved until" in await browser.get(address)


async def test_a_renewal_waits_for_a_reviewer_and_stands_on_the_first_page(system: System) -> None:
    browser, address = await a_product(system, {"kind": "RVC", "percentage": "45"}, approved=True)
    text = await send(browser, address, "state")
    assert "Renewal waits for the ministry" in text

    reviewer = await system.signed_in(await system.officer("reviewer"))
    assert "Products to examine" in await reviewer.get("/")
    assert "T-shirts of cotton" in await reviewer.get(f"/products?status={ProductStatus.RENEWING.value}")
    await reviewer.get(address)
    assert "Approved. Certificates can name" in await reviewer.send("/approve")
