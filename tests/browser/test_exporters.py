"""Exporters: from the sign-in to the result."""

from time import monotonic
from typing import Any
from uuid import UUID

from shared.contracts.certificates.issuing import BoxRemark, ReturnCertificate
from tests.browser.conftest import PersonOf
from tests.browser.makers import an_exporter, an_exporter_who_owes
from tests.browser.site import LiveSite
from tests.support.service_under_test import a_person

HUMAN = 60
"""Milliseconds for a key, as a practised person types."""


def test_an_exporter_copies_a_certificate_and_submits_it_within_a_minute(site: LiveSite, reader: Any) -> None:
    exporter, (certificate_id,) = an_exporter(site)
    person = reader()
    person.sign_in(exporter)
    person.open(f"/certificates/{certificate_id}")
    person.loads, began = 0, monotonic()

    person.press("Copy to a new certificate")
    person.page.get_by_label("Date of departure").fill("2026-12-15")
    person.type("Number of the invoice", "ARM-2026-118", HUMAN)
    person.page.get_by_label("Date of the invoice").fill("2026-11-22")
    person.press("Continue to check")
    person.press("Submit, free of charge")

    seconds = monotonic() - began
    print(f"\ncopy to submit: {person.loads} pages, {seconds:.1f} s with checks of each page")
    assert "Submitted" in person.text()
    assert person.loads <= 5
    assert seconds < 60


def returned(site: LiveSite, certificate_id: UUID) -> None:
    """An officer returns a certificate with remarks on two boxes."""
    remarks = (BoxRemark(box=2, text="The street is missing."), BoxRemark(box=7, item=1, text="The invoice says 24,000 kg."))

    async def send_back() -> None:
        token = site.system.services["certificates"].token_of(a_person("reviewer"))
        command = ReturnCertificate(certificate_id=certificate_id, remarks="See boxes 2 and 7.", boxes=remarks)
        await site.system.ask(command, token=token)

    site.do(send_back())


def test_an_exporter_corrects_a_returned_certificate_at_its_boxes(site: LiveSite, person_of: PersonOf) -> None:
    exporter, (certificate_id,) = an_exporter(site)
    returned(site, certificate_id)
    person = person_of()
    person.sign_in(exporter)
    person.open(f"/certificates/{certificate_id}")

    person.follow(person.page.locator(".remark:has-text('The street is missing.') button"))
    assert person.page.url.endswith("/consignee")
    person.send("/consignee", {"consignment.consignee.address": "14 Jalan Ampang, Kuala Lumpur"}, "button[value=next]")
    person.open(f"/certificates/{certificate_id}")
    person.follow(person.page.locator("#item-1 .remark button"))
    person.send("/goods/1", {"consignment.items.0.quantity": "24000"}, "button[value=next]")
    person.send("/goods", {}, "button[value=next]")
    person.send("/review", {}, "button[value=submit]")

    assert person.page.url.partition("?")[0].endswith(f"/certificates/{certificate_id}")
    assert (
        person.say(
            "The certificate is with the ministry. What happens next stands below; this page shows each change by itself."
        )
        in person.text()
    )
    assert "14 Jalan Ampang" in person.text()


def test_an_exporter_looks_at_every_page(site: LiveSite, person_of: PersonOf) -> None:
    exporter, certificate_id = an_exporter_who_owes(site)
    person = person_of()
    person.sign_in(exporter)

    addresses = (
        "certificates",
        f"payments/{certificate_id}",
        "payments",
        "products",
        "origin",
        "company/mandates",
        "account",
        "account/sessions",
    )
    for path in addresses:
        person.open(f"/{path}")
    person.open("/certificates/import")


def test_an_exporter_assesses_the_origin_of_goods(site: LiveSite, person_of: PersonOf) -> None:
    exporter, _ = an_exporter(site, submitted=False)
    person = person_of()
    person.sign_in(exporter)
    person.open("/origin")
    material = {"hs": "871491", "value": "195", "origin": "CN"}
    fields = {f"statement.materials.0.{name}": value for name, value in material.items()}

    person.send("/origin", {"statement.hs": "871200", "statement.fob": "0", **fields}, "button.first")
    assert person.page.locator("#errors li").count() == 1
    person.send("/origin", {"statement.fob": "300"}, "button.first")

    assert person.say("The goods originate") in person.text()
    assert "105 / 300" in person.text()
    person.fill_in("/origin", {"statement.fob": "400"}).locator("[name='statement.fob']").press("Enter")
    person.page.wait_for_load_state()
    assert "205 / 400" in person.text()  # Enter assesses, and adds no rows


def test_an_exporter_states_the_costs_of_a_product(site: LiveSite, person_of: PersonOf) -> None:
    exporter, _ = an_exporter(site, submitted=False)
    product_id = site.do(site.system.product(exporter, approved=False, criterion={"kind": "CTH"}, hs_code="871200"))
    person = person_of()
    person.sign_in(exporter)
    person.open(f"/products/{product_id}")
    person.open(f"/products/{product_id}/costs")
    material = {"description": "Frame parts", "hs": "871491", "value": "195", "origin": "CN", "priced_on": "2026-09-15"}
    fields = {f"costs.materials.0.{name}": value for name, value in material.items()}

    person.send("/costs", {"costs.fob": "0", "costs.costed_on": "2026-10-01", **fields}, "button.first")
    assert person.page.locator("#errors li").count() == 1
    person.send("/costs", {"costs.fob": "300"}, "button.first")
    assert person.say("The goods originate") in person.text()

    person.send("/costs", {}, "button[value=state]")
    assert person.say("The costs are stated") in person.text()
    assert "105 / 300" in person.text()


def test_everything_works_without_scripts(site: LiveSite, reader: Any) -> None:
    exporter, (certificate_id,) = an_exporter(site, submitted=False)
    person = reader(java_script_enabled=False)
    person.page.goto(f"{site.address}/portal/sign-in")
    person.fill_in("/sign-in", {"email": exporter.email, "password": exporter.password}).locator("button").first.click()
    person.page.goto(f"{site.address}/portal/certificates/{certificate_id}")

    person.page.get_by_role("button", name="Submit as it is").click()

    assert "Submitted" in person.text()


def test_the_styleguide_shows_every_component(person_of: PersonOf) -> None:
    person = person_of()
    person.open("/styleguide")

    assert person.page.locator("h1").is_visible()
