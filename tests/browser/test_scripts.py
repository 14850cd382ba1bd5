"""Each script of the portal does what it promises."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import select

from services.portal.tables import forms
from services.registry.companies.domain.registration import Status
from tests.browser.makers import an_exporter, an_exporter_who_owes, an_officer, reviewed
from tests.browser.reader import Reader
from tests.browser.site import LiveSite
from tests.conftest import eventually
from tests.registry.builders import FILES
from tests.registry.parties import a_company


def an_approver(site: LiveSite, reader: Any) -> Reader:
    """An approver in front of a queue with two certificates."""
    _exporter, certificates = an_exporter(site, count=2)
    reviewed(site, certificates)
    approver: Reader = reader()
    approver.sign_in(an_officer(site, "approver"))
    approver.open("/queue")
    return approver


def press(page: Page, keys: str) -> None:
    """Presses keys, one after another."""
    for key in keys.split():
        page.keyboard.press(key)


def test_keys_choose_and_open_rows_press_buttons_and_go_to_other_pages(site: LiveSite, reader: Any) -> None:
    approver = an_approver(site, reader)
    page, rows = approver.page, approver.page.locator("[data-rows] tbody tr")

    press(page, "?")
    listed = page.locator("#keys").inner_text()
    assert "Approve the chosen ones" in listed
    assert "Go to the queue" in listed
    press(page, "Escape j j k x")
    expect(rows.first.locator("input")).to_be_checked()
    expect(page.locator("[data-chosen]")).to_have_text("1 chosen")
    expect(page.locator("#queue-rows[data-live]")).to_have_count(0)  # a refresh would lose the choice
    press(page, "x")
    expect(page.locator("#queue-rows[data-live]")).to_have_count(1)
    with page.expect_navigation():
        press(page, "j Enter")
    assert "/portal/certificates/" in page.url
    with page.expect_navigation():
        press(page, "g q")
    assert page.url.endswith("/portal/queue")
    with page.expect_navigation():
        press(page, "j x a")
    assert page.url.endswith("/portal/confirm")


def test_keys_do_nothing_in_a_field_and_nothing_when_they_are_off(site: LiveSite, reader: Any) -> None:
    page = an_approver(site, reader).page

    press(page, "/ j x g q")
    expect(page.locator("input[name=search]")).to_have_value("jxgq")
    press(page, "Escape ?")
    page.locator("#keys-off").check()
    press(page, "Escape")
    page.reload()
    press(page, "j ?")

    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("tr[aria-selected]")).to_have_count(0)
    page.locator("#keys-open").click()
    page.locator("#keys-off").uncheck()
    press(page, "Escape j")
    expect(page.locator("tr[aria-selected]")).to_have_count(1)


def test_a_khmer_keyboard_works_like_a_latin_one(site: LiveSite, reader: Any) -> None:
    page = an_approver(site, reader).page
    keyboard = page.context.new_cdp_session(page)

    for key, code in (("្", "KeyJ"), ("ខ", "KeyX")):
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, "code": code, "text": key})
        keyboard.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "code": code})

    expect(page.locator("[data-chosen]")).to_have_text("1 chosen")


def a_new_form(site: LiveSite, reader: Any) -> Reader:
    """An exporter in front of an empty form."""
    exporter, _certificates = an_exporter(site)
    person: Reader = reader()
    person.sign_in(exporter)
    person.open("/certificates")
    person.press("New certificate")
    return person


NAME, ADDRESS = "#f-consignment-consignee-name", "#f-consignment-consignee-address"


def test_what_is_typed_is_saved_by_itself(site: LiveSite, reader: Any) -> None:
    person = a_new_form(site, reader)
    page, address = person.page, person.page.url

    page.locator(NAME).fill("Penang Foods Sdn. Bhd.")
    expect(page.locator("[data-saved]")).to_contain_text("Saved at")
    page.locator(ADDRESS).fill("1 Lebuh Pantai")
    page.get_by_role("link", name="Products").click()  # before the pause after which it is saved
    page.wait_for_url("**/products")
    site.do(eventually(lambda: is_saved(site, "1 Lebuh Pantai")))

    page.goto(address)
    expect(page.locator(NAME)).to_have_value("Penang Foods Sdn. Bhd.")
    expect(page.locator(ADDRESS)).to_have_value("1 Lebuh Pantai")


async def is_saved(site: LiveSite, text: str) -> bool:
    """Whether a form with this text is saved."""
    async with site.system.services["portal"].context.database.reading() as session:
        return bool(await session.scalar(select(forms.c.path).where(forms.c.fields.contains(text))))


def test_what_is_typed_without_a_connection_is_saved_afterwards(site: LiveSite, reader: Any) -> None:
    page = a_new_form(site, reader).page

    page.context.set_offline(True)
    page.locator(NAME).fill("Penang Foods")
    expect(page.locator("[data-saved]")).to_contain_text("the connection is away")
    page.context.set_offline(False)
    page.locator(NAME).press_sequentially(" Sdn. Bhd.")

    expect(page.locator("[data-saved]")).to_contain_text("Saved at")


def test_a_known_consignee_and_a_product_fill_in_their_fields(site: LiveSite, reader: Any) -> None:
    person = a_new_form(site, reader)
    page = person.page
    page.locator(NAME).fill("Kuala Trading Sdn. Bhd.")
    page.locator(ADDRESS).focus()
    expect(page.locator(ADDRESS)).to_have_value("12 Jalan Ampang, Kuala Lumpur")
    expect(page.locator("#f-consignment-destination")).to_have_value("MY")

    page.goto(page.url.replace("/consignee", "/goods/1"))
    page.locator("select[data-product]").select_option(index=1)
    expect(page.locator("#f-consignment-items-0-hs-code")).to_have_value("10063040")


def test_a_date_in_the_past_says_what_follows(site: LiveSite, reader: Any) -> None:
    person = a_new_form(site, reader)
    page = person.page
    page.goto(page.url.replace("/consignee", "/transport"))
    note, field = page.locator("[data-note-of]"), page.locator("input[type=date]")

    expect(note).to_be_hidden()
    field.fill("2026-10-01")
    expect(note).to_be_visible()
    field.fill("2027-10-01")
    expect(note).to_be_hidden()


def test_a_double_click_sends_a_form_once(site: LiveSite, reader: Any) -> None:
    exporter, (certificate_id,) = an_exporter(site)
    person = reader()
    person.sign_in(exporter)
    person.open(f"/certificates/{certificate_id}")
    sent: list[str] = []
    person.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)

    person.fill_in("/messages", {"text": "When will it be reviewed?"}).locator("button").dblclick()
    person.page.wait_for_url("**done=written**")

    assert len(sent) == 1
    assert person.page.locator("#thread .message").count() == 1


def test_a_file_that_is_too_large_is_said_before_it_is_sent(site: LiveSite, reader: Any, tmp_path: Path) -> None:
    company = site.do(a_company(site.system.registry, Status.APPLIED))
    person = reader()
    person.sign_in(company.administrator)
    person.open("/company/documents")
    (large := tmp_path / "large.pdf").write_bytes(b"%PDF-1.7" + bytes(6 * 1024 * 1024))
    kind, (content, _media_type) = next((kind, file) for kind, file in FILES.items() if file[1] == "application/pdf")
    (good := tmp_path / "good.pdf").write_bytes(content)
    sent: list[str] = []
    person.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    form = person.page.locator(f"form:has(input[name='{kind.value}'])")
    form.locator("xpath=ancestor::details/summary").click()

    form.locator("input[type=file]").set_input_files(large)
    assert "larger than 5 MB" in form.locator("input[type=file]").evaluate("field => field.validationMessage")
    form.locator("button").click()
    assert sent == []
    form.locator("input[type=file]").set_input_files(good)
    person.follow(form.locator("button"))

    assert "Received and checked" in person.text()


def test_a_slip_with_another_amount_is_said_before_it_is_sent(site: LiveSite, reader: Any) -> None:
    _exporter, certificate_id = an_exporter_who_owes(site)
    person = reader()
    person.sign_in(an_officer(site, "cashier"))
    person.open(f"/cashier/{certificate_id}")
    amount, said = person.page.locator("#f-amount-khr"), person.page.locator("#slip-difference")

    for typed, sentence in (("215,999", "less than is owed"), ("216 001", "more than is owed"), ("216,000", "")):
        amount.fill(typed)
        expect(said).to_contain_text(sentence) if sentence else expect(said).to_be_empty()
