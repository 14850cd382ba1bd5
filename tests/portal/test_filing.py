"""Exporters fill in certificates: step by step, as copies, with mistakes; nothing typed is lost and nothing is sent twice."""

from uuid import UUID

import pytest
from sqlalchemy import update

from services.certificates.domain.product import Product, ProductStatus
from services.portal.tables import browsers
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.lists import ListCertificates
from tests.registry.people import Human
from tests.support.portal import Browser, System, a_consignment

ITEM = {
    "hs_code": "1006.30.40",
    "marks": "ARM 1-500",
    "packages": "500",
    "package_kind": "bags",
    "quantity": "25,000",
    "unit": "kgm",
    "gross_weight_kg": "25100",
    "fob.amount": "18,500.00",
    "fob.currency": "usd",
    "invoice_number": "ARM-1",
    "invoice_date": "2026-11-20",
    "manufacturer": "Angkor Rice Mill",
}


def typed(number: int, **values: str) -> dict[str, str]:
    """The fields of one item. A dot in a name is written `__`."""
    changed = {name.replace("__", "."): value for name, value in values.items()}
    return {f"consignment.items.{number}.{name}": value for name, value in (ITEM | changed).items()}


async def begin(browser: Browser) -> None:
    """Opens an empty form."""
    await browser.get("/certificates")
    await browser.send("certificates/new")


async def fill_in(browser: Browser, product_id: UUID) -> None:
    """Fills in an empty form, until its last step."""
    await begin(browser)
    await browser.send(
        "/consignee",
        consignment__destination="MY",
        consignment__office="PNH",
        consignment__consignee__name="Kuala Trading Sdn. Bhd.",
        consignment__consignee__address="12 Jalan Ampang, Kuala Lumpur",
    )
    await browser.send(
        "/transport",
        consignment__transport__departure_date="2026-12-01",
        consignment__transport__vessel="MV Mekong 12",
        consignment__transport__port_of_discharge="Port Klang",
    )
    await browser.send("/goods/1", **typed(0, product_id=str(product_id)))
    await browser.send("/goods")


async def certificates_of(system: System, human: Human, *statuses: CertificateStatus) -> int:
    """How many certificates the company has."""
    assert human.session
    found = await system.ask(ListCertificates(statuses=statuses), token=human.session.token)
    return len(found.certificates)


@pytest.mark.slow
async def test_a_certificate_is_filled_in_step_by_step_and_submitted_without_scripts(system: System) -> None:
    exporter = await system.exporter()
    product_id = await system.product(exporter)
    browser = await system.signed_in(exporter)

    await fill_in(browser, product_id)
    assert "Fragrant rice" in browser.text
    assert "25000 KGM" in browser.text
    assert "Submit, free of charge" in browser.text
    text = await browser.send("/review", then="submit")

    assert "The certificate is with the ministry" in text
    assert "An officer of Ministry of Commerce, Phnom Penh reviews it" in text
    assert await certificates_of(system, exporter, CertificateStatus.SUBMITTED) == 1
    assert "Not yet sent" not in await browser.get("/certificates")


async def test_a_copy_is_submitted_with_four_pages(system: System) -> None:
    exporter = await system.exporter()
    former = await system.certificate(exporter, await system.product(exporter))
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{former}")

    assert "What is new this time?" in await browser.send("/copy")
    new = {
        "consignment.transport.departure_date": "2026-12-09",
        "all.invoice_number": "ARM-2",
        "all.invoice_date": "2026-11-22",
        "consignment.items.0.quantity": "30000",
    }
    assert "ARM-2" in await browser.send("/complete", **new)
    text = await browser.send("/review", then="submit")

    assert "The certificate is with the ministry" in text
    assert "30,000 KGM" in text
    assert browser.path != f"/portal/certificates/{former}"


@pytest.mark.slow
async def test_what_a_copy_lacks_is_told_at_its_fields(system: System) -> None:
    exporter = await system.exporter()
    product = await system.product(exporter)
    former = await system.certificate(exporter, product, items=a_consignment(product)["items"] * 2)
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{former}")
    await browser.send("/copy")

    text = await browser.send("/complete", **{"consignment.items.0.quantity": ""})

    assert browser.response is not None
    assert browser.response.status_code == 422
    assert "4 things must be corrected" in text
    assert "Item 1, Quantity: Fill in this field." in text
    links = {link.get("href") for link in browser.page.get_element_by_id("errors").iter("a")}
    assert links == {
        "#f-consignment-transport-departure-date",
        "#f-all-invoice-number",
        "#f-all-invoice-date",
        "#f-consignment-items-0-quantity",
    }


async def test_a_product_that_was_refused_since_is_named_in_a_copy_and_must_be_replaced(system: System) -> None:
    exporter = await system.exporter()
    good = await system.product(exporter, description="Broken rice")
    bad = await system.product(exporter)
    former = await system.certificate(exporter, bad)
    await _refuse(system, bad)
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{former}")

    text = await browser.send("/copy")
    assert "Fragrant rice" in text
    assert "refused this product since" in text
    new = {
        "consignment.transport.departure_date": "2026-12-09",
        "all.invoice_number": "ARM-2",
        "all.invoice_date": "2026-11-22",
    }
    assert "Choose another product for this item" in await browser.send("/complete", **new)
    assert "Broken rice" in await browser.send("/complete", **new, **{"consignment.items.0.product_id": str(good)})


async def _refuse(system: System, product_id: UUID) -> None:
    async with system.services["certificates"].work() as work:
        changed = update(Product).where(Product.product_id == product_id).values(status=ProductStatus.REFUSED)
        await work.session.execute(changed)


async def test_a_double_click_on_submit_makes_one_certificate(system: System) -> None:
    exporter = await system.exporter()
    browser = await system.signed_in(exporter)
    await fill_in(browser, await system.product(exporter))
    form = browser.form("/review")
    values = dict(form.form_values()) | {"then": "submit"}

    first = await browser.http.post(form.action, data=values)
    second = await browser.http.post(form.action, data=values)

    assert first.url.path == second.url.path
    assert await certificates_of(system, exporter) == 1


async def test_a_form_survives_the_end_of_the_session(system: System) -> None:
    exporter = await system.exporter()
    browser = await system.signed_in(exporter)
    await begin(browser)
    address = browser.path
    await _end_sessions(system)

    text = await browser.send("/consignee", consignment__consignee__name="Kuala Trading Sdn. Bhd.")
    assert "Your session has ended" in text
    text = await browser.send("sign-in", email=exporter.email, password=exporter.password)

    assert browser.path == address
    assert "nothing is lost" in text
    assert browser.form("/consignee").fields["consignment.consignee.name"] == "Kuala Trading Sdn. Bhd."


async def _end_sessions(system: System) -> None:
    async with system.services["portal"].work() as work:
        await work.session.execute(update(browsers).values(ended=True))


async def test_two_tabs_of_one_form_lose_nothing(system: System) -> None:
    exporter = await system.exporter()
    one = await system.signed_in(exporter)
    await begin(one)
    await one.send("/consignee", consignment__destination="MY")
    address = one.path.replace("transport", "consignee")
    await one.get(address)
    two = Browser(system, one.http)
    await two.get(address)
    await one.send("/consignee", consignment__consignee__name="The first tab")

    text = await two.send("/consignee", consignment__consignee__name="The second tab")
    assert "Another tab has saved this form" in text
    assert two.form("/consignee").fields["consignment.consignee.name"] == "The second tab"
    await one.get(address)
    assert one.form("/consignee").fields["consignment.consignee.name"] == "The first tab"
    await two.send("/consignee")
    await one.get(address)

    assert one.form("/consignee").fields["consignment.consignee.name"] == "The second tab"


async def test_typing_is_saved_automatically_and_another_tab_is_told(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await begin(browser)
    form = browser.form("/consignee")
    values = {**dict(form.form_values()), "consignment.consignee.name": "Kuala Trading", "then": "save"}

    saved = await browser.http.post(form.action, data=values)
    stale = await browser.http.post(form.action, data=values | {"consignment.consignee.name": "Another name"})

    assert saved.json()["version"] == 1
    assert "Saved at" in saved.json()["sentence"]
    assert stale.status_code == 409
    assert "changed in another tab" in stale.json()["sentence"]
    assert "Kuala Trading" in await browser.get("/certificates")


async def test_khmer_and_hostile_texts_are_refused_in_a_sentence_at_their_field(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await begin(browser)

    text = await browser.send(
        "/consignee",
        consignment__consignee__name="ក្រុមហ៊ុនអង្គរ",
        consignment__consignee__address="<script>alert(1)</script>" + "x" * 2000,
    )

    assert "use the Latin alphabet" in text
    assert "at most 2000 characters" in text
    assert browser.form("/consignee").fields["consignment.consignee.name"] == "ក្រុមហ៊ុនអង្គរ"
    assert browser.response is not None
    assert "<script>alert" not in browser.response.text


@pytest.mark.slow
async def test_what_is_missing_is_told_on_the_last_page_with_links_to_the_fields(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await begin(browser)
    await browser.send("/consignee", consignment__destination="MY")
    base = browser.path.removesuffix("/transport")

    text = await browser.get(f"{base}/review")

    assert "things are missing or wrong" in text
    links = [link.get("href") for link in browser.page.iter("a")]
    assert f"{base}/consignee#f-consignment-consignee-name" in links
    assert f"{base}/transport#f-consignment-transport-vessel" in links
    assert f"{base}/goods#f-consignment-items" in links
    assert "missing" in await browser.send("/review", then="submit")


@pytest.mark.slow
async def test_items_are_added_and_removed_by_buttons(system: System) -> None:
    exporter = await system.exporter()
    browser = await system.signed_in(exporter)
    await fill_in(browser, await system.product(exporter))
    base = browser.path.removesuffix("/review")
    await browser.get(f"{base}/goods")
    await browser.send("/goods", add="yes", then=None)
    assert browser.form("/goods/2").fields["consignment.items.1.invoice_number"] == "ARM-1"
    await browser.send("/goods/2", **typed(1, marks="SECOND"))

    assert "Item" in browser.text
    text = await browser.send("/goods", remove="1", then=None)

    assert "The item is removed" in text
    await browser.get(f"{base}/goods/1")
    assert browser.form("/goods/1").fields["consignment.items.0.marks"] == "SECOND"


@pytest.mark.slow
async def test_a_preparer_saves_the_draft_and_is_told_who_submits(system: System) -> None:
    signatory = await system.exporter()
    assert signatory.session
    preparer = await system.exporter("preparer", company=UUID(signatory.session.organisation))
    product_id = await system.product(signatory)
    browser = await system.signed_in(preparer)
    await fill_in(browser, product_id)

    assert "A signatory submits it" in browser.text
    text = await browser.send("/review", then="draft")

    assert "Saved as a draft" in text
    assert "A signatory of your company can submit it here" in text
    certificate_id = browser.path.rpartition("/")[2]
    other = await system.signed_in(signatory)
    await other.get(f"/certificates/{certificate_id}")
    assert "The certificate is with the ministry" in await other.send("/submit")


@pytest.mark.slow
async def test_a_draft_is_changed_in_the_form_and_stays_one_certificate(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await system.certificate(exporter, await system.product(exporter))
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{certificate_id}")

    await browser.send("/edit")
    base = browser.path.removesuffix("/consignee")
    await browser.send("/consignee", consignment__consignee__name="Penang Foods Sdn. Bhd.")
    await browser.get(f"{base}/review")
    text = await browser.send("/review", then="draft")

    assert "Penang Foods" in text
    assert await certificates_of(system, exporter) == 1


@pytest.mark.slow
async def test_the_button_back_after_submitting_leads_to_the_certificate(system: System) -> None:
    exporter = await system.exporter()
    browser = await system.signed_in(exporter)
    await fill_in(browser, await system.product(exporter))
    review = browser.path
    await browser.send("/review", then="submit")
    certificate = browser.path

    await browser.get(review)

    assert browser.path == certificate


@pytest.mark.slow
async def test_a_refused_submission_keeps_the_form_and_tells_why(system: System) -> None:
    exporter = await system.exporter()
    product_id = await system.product(exporter)
    browser = await system.signed_in(exporter)
    await fill_in(browser, product_id)
    await _refuse(system, product_id)

    text = await browser.send("/review", then="submit")

    assert "a certificate needs an approved product" in text
    assert await certificates_of(system, exporter) == 0
    assert "Not yet sent" in await browser.get("/certificates")


async def test_an_officer_cannot_open_the_form(system: System) -> None:
    browser = await system.signed_in(await system.officer("reviewer"))
    await browser.get("/filing/00000000-0000-4000-8000-000000000001/consignee")

    assert "not for your role" in browser.text
