"""The guides of the public site, played on the running demo. `make guides` keeps their pictures and videos."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator

from cli.demo.people import registration_documents
from tests.browser.demo import Demo
from tests.browser.guides import FOLDER, SIZE, Recorder, guide_of, keep_outlines, known_outlines
from tests.browser.reader import Reader

Steps = Iterator[Locator]
"""What a person points at in each step of a guide, before they go on."""


def submit(person: Reader) -> Steps:
    """The last step of the form: every box, and the button with the fee."""
    button = person.page.locator("form:has(input[name=once]) button.first").last
    yield button
    person.follow(button)


def register(person: Reader, demo: Demo) -> Steps:
    page, mark = person.page, uuid4().int
    person.open("/sign-in")
    yield person.target("Apply for registration")
    person.press("Apply for registration")
    yield person.target("Begin")
    person.press("Begin")
    yield page.locator("#f-company-name")
    person.fill("company_name", "Battambang Orange Growers Ltd.")
    person.fill("company_name_km", "ក្រុមហ៊ុន ដាំក្រូច បាត់ដំបង")
    person.fill("tax_number", f"K{mark % 10**12:012}")
    person.press("Save and go on")
    yield page.locator("#f-address")
    person.fill("address", "National Road 5, Battambang")
    person.fill("district", "0203")
    person.fill("phone", "+855 53 123 456")
    person.press("Save and go on")
    yield page.locator("#f-representative-name")
    person.fill("representative.name", "Sok Bopha")
    person.fill("representative.name_km", "សុខ បុប្ផា")
    person.fill("representative.position", "Director")
    person.press("Save and go on")
    yield page.locator("#f-administrator-name")
    person.fill("administrator_name", "Sok Bopha")
    person.fill("email", f"bopha{mark % 10**6}@oranges.example")
    person.press("Save and go on")
    yield person.target("Send the application")
    for name in ("password", "repeated"):
        person.fill(name, "sweet oranges of the river")
    person.press("Send the application")
    (kind, (content, media_type)), *_ = registration_documents().items()
    form = page.locator(f"form:has(input[value='{kind.value}'])")
    yield form
    form.locator("input[type=file]").set_input_files({"name": "document", "mimeType": media_type, "buffer": content})
    person.follow(form.locator("button"))


def copy(person: Reader, demo: Demo) -> Steps:
    page = person.page
    person.open("/sign-in")
    yield page.locator("main form button").first
    person.sign_in(demo.person("exporter"))
    yield person.target("Certificates")
    person.press("Certificates")
    person.open("/certificates?tab=issued&destination=TH")
    former = page.locator("#list th a").first
    yield former
    person.follow(former)
    yield person.target("Copy to a new certificate")
    person.press("Copy to a new certificate")
    yield page.locator("#f-consignment-transport-departure-date")
    person.fill("consignment.transport.departure_date", (date.today() + timedelta(days=9)).isoformat())
    person.fill("all.invoice_number", "MHE-2026-731")
    person.fill("all.invoice_date", (date.today() - timedelta(days=1)).isoformat())
    person.press("Continue to check")
    yield from submit(person)
    yield page.locator("#state")


def new(person: Reader, demo: Demo) -> Steps:
    page = person.page
    person.sign_in(demo.person("exporter"))
    person.open("/certificates")
    yield person.target("New certificate")
    person.press("New certificate")
    yield page.locator("#f-consignment-destination")
    person.fill("consignment.destination", "VN")
    person.fill("consignment.office", "PNH")
    person.fill("consignment.consignee.name", "Cuu Long Foods JSC")
    person.fill("consignment.consignee.address", "27 Hai Ba Trung, Can Tho, Viet Nam")
    person.press("Continue")
    yield page.locator("#f-consignment-transport-departure-date")
    person.fill("consignment.transport.departure_date", (date.today() + timedelta(days=12)).isoformat())
    person.fill("consignment.transport.vessel", "Mekong Star V.121")
    person.fill("consignment.transport.port_of_discharge", "Can Tho")
    person.press("Continue")
    product = page.locator("select[data-product]")
    yield product
    wanted = product.locator("option", has_text="rice").first.get_attribute("value")
    product.select_option(wanted)
    item = "consignment.items.0."
    for name, text in {
        "quantity": "25000",
        "unit": "KGM",
        "packages": "500",
        "package_kind": "bags",
        "marks": "MHE 1-500",
        "gross_weight_kg": "25100",
        "fob.amount": "15500",
        "fob.currency": "USD",
        "invoice_number": "MHE-2026-732",
        "invoice_date": date.today().isoformat(),
        "manufacturer": "Mekong Heritage Rice Mill",
    }.items():
        person.fill(item + name, text)
    person.press("Save the item")
    yield person.target("Add an item")
    person.press("Continue")
    yield from submit(person)


def pay(person: Reader, demo: Demo) -> Steps:
    page = person.page
    person.sign_in(demo.person("exporter"))
    person.press("Payments")
    yield person.target("To pay")
    person.press("To pay")
    invoice = page.locator("table th a").first
    yield invoice
    person.follow(invoice)
    yield page.locator("aside.card")


def correct(person: Reader, demo: Demo) -> Steps:
    page = person.page
    person.sign_in(demo.person("exporter"))
    person.open(f"/certificates?tab=returned&search={'Saigon' if person.language == 'en' else 'Manila'}")
    returned = page.locator("#list th a").first
    yield returned
    person.follow(returned)
    remark = page.locator(".remark button").first
    yield remark
    person.follow(remark)
    invoice = page.locator("[name$='invoice_number']")
    yield invoice
    person.fill("consignment.items.0.invoice_number", "INV-2026-428")
    person.press("Save the item")
    person.press("Continue")
    yield from submit(person)


def follow(person: Reader, demo: Demo) -> Steps:
    page = person.page
    person.open_public("/")
    yield page.locator("#reference")
    page.locator("#reference").press_sequentially(demo.reference, delay=person.pace)
    person.follow(page.locator("main form button").first)
    yield page.locator("main h1")
    yield page.locator(".timeline").first
    person.open_public("/codes")
    yield page.locator("main h1")


def decide(person: Reader, demo: Demo) -> Steps:
    page = person.page
    person.sign_in(demo.person("reviewer"))
    person.open("/queue?unpaid=yes")  # among them nothing is assigned to an officer yet
    yield person.target("Open the longest waiting")
    person.press("Open the longest waiting")
    yield page.locator("#deciding")
    for check in page.locator("input[name=checks]").all():
        check.check()
    person.fill("worksheet", "Invoice, packing list and cost sheet agree.")
    yield person.target("Send to approval")
    person.press("Send to approval")
    person.press("Sign out")
    person.sign_in(demo.person("approver"))
    person.open("/queue")
    for box in page.locator("input[name=chosen]").all()[:2]:
        box.check()
    yield person.target("Approve the chosen ones")
    person.press("Approve the chosen ones")
    yield page.locator("#f-code")
    person.fill("code", demo.code_of(demo.person("approver")))
    person.follow(page.locator("form:has(#f-code) button.first"))
    yield page.locator("main h1")


GUIDES: dict[str, Callable[[Reader, Demo], Steps]] = {
    "register": register,
    "copy": copy,
    "new": new,
    "pay": pay,
    "correct": correct,
    "follow": follow,
    "decide": decide,
}


@pytest.mark.parametrize("language", ["en", "km"])
@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_shows_the_present_screens(
    name: str, language: str, demo: Demo, readers: Any, keeps_guides: bool, tmp_path: Path
) -> None:
    if language == "km" and not keeps_guides:
        pytest.skip("the screens are compared in English; `make guides` plays the guide in Khmer too")
    person = readers(demo, language, SIZE)
    recorder = Recorder(guide_of(name), person, FOLDER if keeps_guides else None)

    with recorder.recording():
        for target in GUIDES[name](person, demo):
            target.wait_for()
            recorder.step(target)

    assert len(recorder.outlines) == len(recorder.guide.steps)
    if keeps_guides and language == "en":
        keep_outlines(name, recorder.outlines)
    if language == "en":
        assert recorder.outlines == known_outlines().get(name), "the pages have changed: run `make guides`"
