"""Cashiers, administrators, auditors and customs: from the sign-in to the result."""

import re
from datetime import UTC, datetime
from uuid import uuid4

from tests.browser.conftest import PersonOf
from tests.browser.makers import an_exporter, an_exporter_who_owes, an_officer, reviewed
from tests.browser.site import LiveSite
from tests.gateway.builders import a_form, an_item
from tests.gateway.test_gateway_lists import a_received_document
from tests.registry.people import PASSPHRASE, Human, mailbox


def test_a_cashier_finds_an_exporter_and_enters_the_slip(site: LiveSite, person_of: PersonOf) -> None:
    _exporter, certificate_id = an_exporter_who_owes(site)
    cashier = person_of()
    cashier.sign_in(an_officer(site, "cashier"))
    cashier.open("/cashier")

    cashier.send("/cashier", {"search": "Angkor Rice"})
    if cashier.page.url.endswith(str(certificate_id)) is False:  # the first run of this test has left an invoice
        cashier.follow(cashier.page.locator(f"a[href$='{certificate_id}']"))
    cashier.send(str(certificate_id), {"slip_number": f"ABA-{uuid4().hex[:8]}"})

    assert cashier.say("The payment is recorded") in cashier.text()
    cashier.press("Open the receipt")
    assert re.search("216[,.]000", cashier.text())
    cashier.open("/tariff")


def test_an_administrator_invites_an_officer_who_signs_in_and_is_deactivated(site: LiveSite, person_of: PersonOf) -> None:
    administrator, human = person_of(), site.system.administrator
    email = f"{uuid4().hex[:12]}@ministry.example"
    administrator.sign_in(human)
    administrator.open("/officers")
    administrator.press("Invite an officer")
    name = f"Sok Vanna {email[:4]}"
    administrator.send("/invite", {"name": name, "email": email, "office": "PNH", "roles": ["reviewer"]})
    administrator.confirm(human)
    assert administrator.say("Invited. The officer gets an e-mail with a link to choose a password.") in administrator.text()

    officer = person_of()
    site.do(site.system.settle())
    officer.open(f"/invitation#{mailbox(site.system.registry).link(email, 'invitation')}")
    officer.send("/invitation", {"password": PASSPHRASE, "repeated": PASSPHRASE})
    officer.sign_in(Human(site.system.registry, email))
    assert officer.say("Set up a second factor first") in officer.text()

    administrator.follow(administrator.page.get_by_role("link", name=name))
    administrator.send("/deactivate")
    administrator.confirm(human)
    assert administrator.say("The account is deactivated, and all its sessions have ended.") in administrator.text()
    officer.open("/")
    assert "/sign-in" in officer.page.url


def test_an_auditor_reads_the_history_of_a_certificate_and_has_no_button_to_decide(site: LiveSite, person_of: PersonOf) -> None:
    _exporter, certificates = an_exporter(site)
    reviewed(site, certificates)
    auditor = person_of()
    auditor.sign_in(an_officer(site, "auditor"))
    auditor.open("/audit")
    auditor.open("/certificates")

    auditor.open(f"/certificates/{certificates[0]}")

    assert auditor.page.locator("#timeline li").count() >= 3
    assert auditor.page.locator("main form").count() == 0
    for path in ("/registrations?status=all", "/officers", "/cashier", "/received"):
        auditor.open(path)


def test_customs_read_a_received_document(site: LiveSite, person_of: PersonOf) -> None:
    form = a_form(reference=f"D2026-HN-{uuid4().int % 10**6:06}", issuing_country="VN", destination="KH")
    site.do(a_received_document(site.system.services["gateway"], 1, form=form))
    viewer = person_of()
    viewer.sign_in(an_officer(site, "customs_viewer"))
    viewer.open("/received")

    viewer.send("/received", {"search": form.reference})
    viewer.follow(viewer.page.locator("th a").first)

    assert form.reference in viewer.text()
    assert form.items[0].description in viewer.text()


def test_customs_decide_on_a_received_document_and_ask_about_it(site: LiveSite, person_of: PersonOf) -> None:
    items = tuple(an_item(number) for number in range(1, 8))
    form = a_form(reference=f"D2026-HN-{uuid4().int % 10**6:06}", issuing_country="VN", destination="KH", items=items)
    site.do(a_received_document(site.system.services["gateway"], 1, form=form, decided_at=datetime(2026, 3, 2, tzinfo=UTC)))
    here = f"/received/VN/{form.reference}"
    officer = person_of()
    officer.sign_in(an_officer(site, "customs_officer"))
    officer.open(here)

    officer.page.locator(f"form[action$='{here}/decide'] input[name=outcome][value=in_part]").check()
    officer.send(f"{here}/decide", {"reason": "goods_mismatch", "items": "2, 5-7"})
    assert "2, 5, 6, 7" in officer.text()

    officer.page.locator("details.card summary").first.click()
    question = {"reason": "goods_mismatch", "question": "Which goods were made in Viet Nam?", "asked_items": "1"}
    officer.send(f"{here}/ask", question)
    officer.open("/verifications")
    assert "Which goods were made in Viet Nam?" in officer.text()
    officer.open("/partners")
