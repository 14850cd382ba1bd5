"""What interrupts a person in a real browser loses nothing and does nothing twice."""

from typing import Any

from playwright.sync_api import expect
from sqlalchemy import update

from services.portal.tables import browsers
from shared.contracts.fees import GetInvoice
from tests.browser.makers import an_exporter, an_exporter_who_owes, an_officer
from tests.browser.reader import Reader
from tests.browser.site import LiveSite
from tests.registry.people import Human

NAME, SAVED = "#f-consignment-consignee-name", "[data-saved]"


def an_exporter_in_front_of_a_form(site: LiveSite, reader: Any) -> tuple[Human, Reader]:
    """An exporter who has begun a certificate."""
    exporter, _certificates = an_exporter(site, submitted=False)
    person: Reader = reader()
    person.sign_in(exporter)
    person.open("/certificates")
    person.press("New certificate")
    return exporter, person


def test_two_tabs_on_one_draft_lose_nothing(site: LiveSite, reader: Any) -> None:
    _exporter, person = an_exporter_in_front_of_a_form(site, reader)
    first, second = person.page, person.page.context.new_page()
    second.goto(first.url)
    first.locator(NAME).fill("The first tab")
    expect(first.locator(SAVED)).to_contain_text("Saved at")

    second.locator(NAME).fill("The second tab")
    expect(second.locator(SAVED)).to_contain_text("changed in another tab")
    second.locator("button[value=next]").click()
    second.get_by_text("Another tab has saved this form").wait_for()

    expect(second.locator(NAME)).to_have_value("The second tab")
    first.reload()
    expect(first.locator(NAME)).to_have_value("The first tab")


def test_the_button_back_after_a_payment_pays_nothing_twice(site: LiveSite, reader: Any) -> None:
    exporter, certificate_id = an_exporter_who_owes(site)
    cashier = reader()
    cashier.sign_in(an_officer(site, "cashier"))
    cashier.open(f"/cashier/{certificate_id}")
    cashier.send(str(certificate_id), {"slip_number": "ABA-2026-77"})
    cashier.page.go_back()
    form = cashier.page.locator(f"main form[action$='{certificate_id}']")

    if form.count():  # the browser shows the page as it was
        cashier.send(str(certificate_id))

    assert "The payment is recorded" in cashier.text() or "Nothing is owed" in cashier.text()
    assert exporter.session
    invoice = site.do(site.system.ask(GetInvoice(certificate_id=certificate_id), token=exporter.session.token))
    assert (invoice.paid_khr, len(invoice.payments)) == (216_000, 1)


def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(site: LiveSite, reader: Any) -> None:
    exporter, person = an_exporter_in_front_of_a_form(site, reader)
    site.do(end_sessions(site))

    person.page.locator(NAME).fill("Typed before the end")
    expect(person.page.locator(SAVED)).to_contain_text("You are signed out")
    person.press("Sign in again")
    person.send("/sign-in", {"email": exporter.email, "password": exporter.password})

    assert "nothing is lost" in person.text()
    expect(person.page.locator(NAME)).to_have_value("Typed before the end")


async def end_sessions(site: LiveSite) -> None:
    """Ends the sessions of all browsers."""
    async with site.system.services["portal"].work() as work:
        await work.session.execute(update(browsers).values(ended=True))
