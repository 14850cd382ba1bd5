"""HS codes in the portal: a page to search them, suggestions for a field, and refusals at the field."""

from cli.commands.nomenclature import parts_of
from cli.nomenclature_file import read_lines
from tests.certificates.test_nomenclature import FILE, SINCE
from tests.portal.test_filing import fill_in, typed
from tests.support.portal import Browser, System


async def with_edition(system: System) -> Browser:
    """An exporter's browser, with an edition loaded."""
    for part in parts_of(read_lines(FILE), "HS 2022", SINCE):
        await system.services["certificates"].ask(part)
    return await system.signed_in(await system.exporter())


async def test_without_an_edition_the_page_tells_that_codes_are_not_checked(system: System) -> None:
    browser = await system.signed_in(await system.exporter())

    assert "codes are not checked" in await browser.get("/nomenclature?search=rice")


async def test_codes_are_found_by_words_without_a_script(system: System) -> None:
    browser = await with_edition(system)

    text = await browser.get("/nomenclature?search=footwear+leather")

    assert "640391 Footwear; n.e.c. in heading no. 6403" in text
    assert text.index("64039910") < text.index("640391 Footwear")


async def test_a_search_without_a_result_tells_what_to_do(system: System) -> None:
    browser = await with_edition(system)

    assert "try fewer or other words" in await browser.get("/nomenclature?search=spaceship")


async def test_a_script_gets_the_lines_as_data(system: System) -> None:
    browser = await with_edition(system)

    answer = await browser.http.get("/portal/nomenclature?search=paddy", headers={"accept": "application/json"})

    assert answer.json() == {"lines": [{"code": "100610", "text": "Cereals; rice in the husk (paddy or rough)"}]}


async def test_an_unknown_code_of_a_product_is_refused_at_its_field(system: System) -> None:
    browser = await with_edition(system)
    await browser.get("/products/new")
    product = {"description": "Leather shoes", "criterion__kind": "WO"}

    text = await browser.send("products/new", **product, hs_code="6403.98")

    assert "HS 2022 has no HS code 640398" in text
    assert "640399" in text
    assert browser.page.get_element_by_id("f-hs-code").get("aria-invalid") == "true"
    assert "Leather shoes" in await browser.send("products/new", **product, hs_code="6403.99.10")


async def test_an_unknown_code_of_an_item_is_refused_when_the_draft_is_sent(system: System) -> None:
    exporter = await system.exporter()
    browser = await system.signed_in(exporter)
    product = await system.product(exporter)
    await with_edition(system)
    await fill_in(browser, product)
    here = browser.path.removesuffix("/review")
    await browser.get(f"{here}/goods/1")
    await browser.send("/goods/1", **typed(0, product_id=str(product), hs_code="10063940"))
    await browser.get(f"{here}/review")

    text = await browser.send("/review", then="submit")

    assert "HS 2022 has no HS code 10063940" in text
    assert "100630" in text
