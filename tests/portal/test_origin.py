"""The origin worksheet in the portal: a cost statement is typed or pasted, assessed, and shown in both languages."""

from typing import Any

from shared.contracts.roles import Role
from tests.support.portal import Browser, System

BICYCLE = {
    "statement__goods": "Bicycles",
    "statement__hs": "8712.00",
    "statement__fob": "300.00",
    "processes": "welding, painting",
    "statement__materials__0__description": "Frames",
    "statement__materials__0__hs": "8714.91",
    "statement__materials__0__value": "195.00",
    "statement__materials__0__origin": "cn",
}


async def opened(system: System, language: str = "en") -> Browser:
    browser = await system.signed_in(await system.exporter(), language)
    await browser.get("/origin")
    return browser


async def assessed(browser: Browser, **changed: Any) -> str:
    return await browser.send("/origin", **BICYCLE | changed)


def value_of(browser: Browser, name: str) -> str:
    return str(browser.page.xpath(f"//*[@name='{name}']/@value")[0])


async def test_an_exporter_sees_the_worksheet_of_goods_before_they_are_registered(system: System) -> None:
    text = await assessed(await opened(system))

    assert "The goods originateBox 8: CTH" in text
    assert "105 / 300 = 35 %" in text
    assert "General rule; no product rule loaded." in text
    assert "Were the goods shipped directly" in text
    assert "1Frames HS 871491 CN" in text


async def test_what_was_typed_stays_in_the_form_in_its_usual_form(system: System) -> None:
    browser = await opened(system)
    await assessed(browser, statement__fob="1,300.50")

    assert value_of(browser, "statement.fob") == "1300.50"
    assert value_of(browser, "statement.materials.0.hs") == "871491"
    assert value_of(browser, "statement.materials.0.origin") == "CN"


async def test_goods_that_do_not_originate_show_what_is_missing(system: System) -> None:
    text = await assessed(await opened(system), statement__materials__0__hs="871200")

    assert "The goods do not originate" in text
    assert "Partial cumulation: PC 35%" in text
    assert "It needs 15 USD more of originating value." in text
    assert "30 USD, is tolerated (ATIGA Art. 33): 165 USD too much." in text


async def test_all_problems_are_shown_together_at_their_fields(system: System) -> None:
    browser = await opened(system)
    text = await assessed(
        browser,
        statement__fob="0",
        statement__hs="12",
        statement__materials__2__hs="1",
        statement__materials__2__value="3",
        statement__materials__2__origin="QQ",
        claim="PE",
    )

    assert "5 things must be corrected" in text
    assert "HS code: 12 is not an HS code." in text
    assert "Material 2: HS code: 1 is not an HS code." in text  # rows have no gaps any more
    assert "Material 2: Origin: There is no country with the code QQ." in text
    assert "Criterion that you claim: Form D does not have this origin criterion." in text


async def test_a_number_that_cannot_be_read_is_shown_at_its_row(system: System) -> None:
    text = await assessed(await opened(system), statement__materials__0__value="12e3", statement__labour="abc")

    assert "Material 1: Value: Type a number, such as 1250.50." in text
    assert "Labour: Type a number, such as 1250.50." in text


async def test_materials_are_pasted_from_a_spreadsheet(system: System) -> None:
    browser = await opened(system)
    pasted = "Rims\t8714.92\t20.50\tTH\tyes\nTyres; 4011.50; 10; VN; no; 25 %"
    text = await assessed(browser, pasted=pasted)

    assert "2Rims HS 871492 TH20.5originating in another member" in text
    assert "3Tyres HS 401150 VN" in text
    assert "Accumulation" in text
    assert value_of(browser, "statement.materials.2.pc_share") == "25"


async def test_rows_are_added_without_an_assessment(system: System) -> None:
    browser = await opened(system)
    before = len(browser.page.xpath("//input[contains(@name, '.hs') and contains(@name, 'materials')]"))
    await assessed(browser, then="rows", statement__hs="x")

    assert len(browser.page.xpath("//input[contains(@name, '.hs') and contains(@name, 'materials')]")) == before + 8
    assert "Figures" not in browser.text


async def test_wholly_obtained_goods_need_no_material(system: System) -> None:
    browser = await opened(system)
    fields = {"statement__hs": "100630", "statement__fob": "500"}
    assert "State the materials, or state that the goods are wholly obtained" in await browser.send("/origin", **fields)

    text = await browser.send("/origin", **fields, statement__wholly_obtained="true")

    assert "Box 8: WO" in text


async def test_a_claim_is_judged(system: System) -> None:
    browser = await opened(system)

    assert "Claimed: CTH met" in await assessed(browser, claim="CTH")
    assert "39.999 % is less" in await assessed(browser, claim="39.999%")


async def test_the_worksheet_is_shown_in_the_other_language(system: System) -> None:
    browser = await opened(system)
    await assessed(browser)
    text = await assessed(browser, shown_in="km")

    assert "ទំនិញមានដើមកំណើត" in text
    assert "វិធានទូទៅ" in text
    assert "Assess" in text
    assert browser.page.xpath("//section[contains(@class, 'worksheet')]/@lang") == ["km"]


async def test_the_page_is_in_khmer(system: System) -> None:
    browser = await opened(system, "km")
    text = await assessed(browser)

    assert "សន្លឹកកិច្ចការដើមកំណើត" in text
    assert "The goods" not in text


async def test_a_reviewer_opens_it_and_a_cashier_does_not(system: System) -> None:
    reviewer = await system.signed_in(await system.officer(Role.REVIEWER))
    assert "Origin of goods" in await reviewer.get("/origin")
    cashier = await system.signed_in(await system.officer(Role.CASHIER))
    await cashier.get("/origin")
    assert cashier.response is not None
    assert cashier.response.status_code == 403


async def test_markup_in_a_description_is_shown_as_text(system: System) -> None:
    browser = await opened(system)
    text = await assessed(browser, statement__goods="<script>alert(1)</script>")

    assert "<script>alert(1)</script>" in text
