"""An exporter chooses a form; those that are not available yet are shown and cannot be chosen."""

from tests.portal.test_filing import begin, typed
from tests.support.portal import Browser, System


async def filled_in(system: System, form: str, destination: str) -> Browser:
    """A form of this kind, filled in until its last step."""
    exporter = await system.exporter()
    browser = await system.signed_in(exporter)
    product = await system.product(exporter)
    await begin(browser)
    party = "consignment__consignee__"
    await browser.send(
        "/consignee",
        form=form,
        consignment__destination=destination,
        consignment__office="PNH",
        **{f"{party}name": "Great Lakes Rice Inc.", f"{party}address": "1 Main Street, Chicago"},
    )
    transport = "consignment__transport__"
    values = {"departure_date": "2026-12-01", "vessel": "MV Mekong 12", "port_of_discharge": "Long Beach"}
    await browser.send("/transport", **{f"{transport}{name}": value for name, value in values.items()})
    await browser.send("/goods/1", **typed(0, product_id=str(product)))
    await browser.send("/goods")
    return browser


async def test_all_forms_are_shown_and_only_the_available_ones_can_be_chosen(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await begin(browser)

    assert "Form E · ASEAN–China Free Trade Area" in browser.text
    assert [each.get("value") for each in browser.page.xpath("//input[@name='form']")] == ["D", "N"]
    assert browser.page.xpath("//input[@name='form' and @checked]/@value") == ["D"]
    groups = browser.page.xpath("//select[@name='consignment.destination']/optgroup")
    assert len(groups[0]) == 9
    assert "US" in groups[1].xpath("option/@value")
    assert not set(groups[0].xpath("option/@value")) & set(groups[1].xpath("option/@value"))


async def test_form_n_is_filled_in_and_submitted(system: System) -> None:
    browser = await filled_in(system, "N", "US")
    assert "Form N, box by box" in browser.text
    assert "and that the goods were produced in Cambodia." in browser.text

    text = await browser.send("/review", then="submit")

    assert "The certificate is with the ministry" in text
    assert "United States" in text


async def test_a_country_that_the_form_does_not_serve_is_refused_at_its_field(system: System) -> None:
    browser = await filled_in(system, "D", "US")

    text = await browser.send("/review", then="submit")

    assert "Form D does not serve US. It serves: BN, ID" in text


async def test_a_form_that_is_not_available_is_refused_with_a_sentence(system: System) -> None:
    browser = await filled_in(system, "E", "MY")

    assert "Form E (ACFTA) is not available yet" in await browser.send("/review", then="submit")
