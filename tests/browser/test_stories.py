"""The story of each kind of person, from the sign-in to the result, in a real browser."""

from time import monotonic
from typing import Any
from uuid import UUID

from shared.contracts.certificates.issuing import SubmitCertificate
from tests.browser.conftest import PHONE
from tests.browser.site import LiveSite
from tests.registry.people import Human

HUMAN = 60
"""Milliseconds for a key, as a practised person types."""


def an_exporter(site: LiveSite, *, submitted: bool = True) -> tuple[Human, UUID]:
    """An exporter with a certificate."""

    async def make() -> tuple[Human, UUID]:
        exporter = await site.system.exporter()
        product_id = await site.system.product(exporter)
        certificate_id = await site.system.certificate(exporter, product_id)
        assert exporter.session
        if submitted:
            await site.system.ask(SubmitCertificate(certificate_id=certificate_id), token=exporter.session.token)
        return exporter, certificate_id

    return site.do(make())


def test_an_exporter_copies_a_certificate_and_submits_it_within_a_minute(site: LiveSite, reader: Any) -> None:
    exporter, certificate_id = an_exporter(site)
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


def test_officers_review_and_approve_and_the_exporter_sees_it_without_reloading(site: LiveSite, reader: Any) -> None:
    exporter, certificate_id = an_exporter(site)
    trader = reader()
    trader.sign_in(exporter)
    trader.open(f"/certificates/{certificate_id}")
    reviewer = reader()
    reviewer.sign_in(site.do(site.system.officer("reviewer")))
    reviewer.open("/queue")
    reviewer.open(f"/certificates/{certificate_id}")

    for check in reviewer.page.locator("input[name=checks]").all():
        check.check()
    reviewer.page.get_by_label("Reasons").first.fill("Invoice and packing list agree.")
    with reviewer.page.expect_navigation():
        reviewer.page.locator("form[action$='/review'] button").last.click()
    reviewer.check()

    trader.page.get_by_text("Reviewed").first.wait_for(timeout=10_000)


def test_the_pages_of_an_exporter_on_a_phone_in_khmer(site: LiveSite, reader: Any) -> None:
    exporter, certificate_id = an_exporter(site)
    person = reader("km", PHONE)
    person.sign_in(exporter)

    for path in ("/", "/certificates", f"/certificates/{certificate_id}", "/products", "/payments", "/account"):
        person.open(path)
        assert person.page.locator("html").get_attribute("lang") == "km"


def test_the_pages_of_officers_on_a_phone_and_in_the_dark(site: LiveSite, reader: Any) -> None:
    for role, paths in {
        "reviewer": ("/", "/queue", "/certificates", "/products"),
        "registration_officer": ("/registrations",),
        "cashier": ("/cashier", "/tariff"),
        "administrator": ("/officers",),
        "auditor": ("/audit",),
        "customs_viewer": ("/received",),
    }.items():
        person = reader("en", PHONE, color_scheme="dark")
        person.sign_in(site.do(site.system.officer(role)))
        for path in paths:
            person.open(path)


def test_everything_works_without_scripts(site: LiveSite, reader: Any) -> None:
    exporter, certificate_id = an_exporter(site, submitted=False)
    person = reader(java_script_enabled=False)
    person.page.goto(f"{site.address}/portal/sign-in")
    person.page.locator("#f-email").fill(exporter.email)
    person.page.locator("#f-password").fill(exporter.password)
    person.page.locator("main form button").first.click()
    person.page.goto(f"{site.address}/portal/certificates/{certificate_id}")

    person.page.get_by_role("button", name="Submit as it is").click()

    assert "Submitted" in person.text()


def test_the_styleguide_shows_every_component(site: LiveSite, reader: Any) -> None:
    person = reader()
    person.open("/styleguide")

    assert "Components" in person.text()
