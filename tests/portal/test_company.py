"""A company applies without an account, sends its documents, corrects, renews, invites colleagues and appoints an agent."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from services.portal import posted
from services.registry.companies.domain.life_cycle import Status
from shared.contracts.registry.mandates import RevokeMandate
from shared.contracts.registry.particulars import DocumentKind
from shared.contracts.registry.registrations import ReturnRegistration, SuspendRegistration
from shared.web.languages import COOKIE
from tests.registry.builders import FILES, OFFICER, TODAY, a_registration
from tests.registry.parties import A_YEAR, Company, Parties, a_company
from tests.registry.people import somebody_of_a_company
from tests.support.portal import Browser, System

HOSTILE = 'Silk & <script>alert(1)</script> "Rice" {{ 7*7 }} \' OR 1=1 --'
KHMER = "ក្រុមហ៊ុន សូត្របាត់ដំបង <b>១</b>"


async def fill_in(browser: Browser, **changes: str) -> str:
    """Takes every step of an application; returns the text of the check."""
    await browser.get("/apply")
    await browser.get("/apply/company")
    names = {"company_name": HOSTILE, "company_name_km": KHMER, "tax_number": "K001-901234567"}
    email = changes.pop("email", "dara@silk.example")
    await browser.send("apply/company", **names | changes)
    await browser.send(
        "apply/address", address="No 12, Street 271", address_km="ផ្ទះលេខ១២", district="0102", phone="+855 23 123 456"
    )
    await browser.send("apply/representative", representative__name="Sok Vanna", representative__position="Director")
    return await browser.send("apply/account", administrator_name="ចាន់ ដារ៉ា", email=email)


async def upload(browser: Browser, kind: DocumentKind, content: bytes, media_type: str) -> str:
    """Sends a file by the form of its document."""
    form = next(form for form in browser.page.forms if form.fields.get("kind") == kind)
    browser.response = await browser.http.post(
        form.action,
        data={name: value for name, value in form.form_values() if name != kind},
        files={kind.value: ("file", content, media_type)},
    )
    return browser.text


async def test_a_company_applies_and_sends_its_documents(system: System) -> None:
    browser = system.browser()
    text = await fill_in(browser)
    assert HOSTILE in text
    assert KHMER in text
    assert "Srok Mongkol Borey, Banteay Meanchey" in text
    assert browser.response is not None
    assert "<script>alert" not in browser.response.text

    text = await browser.send("apply/check", password="correct horse battery", repeated="correct horse batter")
    assert "The two passwords differ." in text
    text = await browser.send("apply/check", password="correct horse battery", repeated="correct horse battery")
    assert "Your application is sent" in text
    assert "4 documents are still missing" in text

    assert "not a PDF" in await upload(browser, DocumentKind.IDENTITY_DOCUMENT, b"no document", "application/pdf")
    assert "Choose a file" in await upload(browser, DocumentKind.IDENTITY_DOCUMENT, b"", "application/pdf")
    for kind, (content, media_type) in FILES.items():
        text = await upload(browser, kind, content, media_type)
        assert "Received and checked" in text
    assert "Everything is here" in text
    sent = await browser.http.get("/portal/company/documents/photo")
    assert sent.content == FILES[DocumentKind.PHOTO][0]
    assert "attachment" in sent.headers["content-disposition"]

    assert "Your company is not registered yet" in await browser.get("/")
    assert "the ministry examines it" in browser.text


async def test_an_application_sent_twice_is_one_and_a_taken_address_is_said(system: System) -> None:
    browser, other = system.browser("km"), system.browser()
    email = "twice@silk.example"
    await fill_in(browser, tax_number="K001-000000002", email=email)
    form, cookie = browser.form("apply/check"), browser.http.cookies["portal"]
    twice = dict(form.form_values()) | {"password": "correct horse battery", "repeated": "correct horse battery"}
    first = await browser.http.post(form.action, data=twice, follow_redirects=False)
    signed_in = browser.http.cookies["portal"]
    browser.http.cookies.set("portal", cookie)  # a second click is sent before the answer to the first
    second = await browser.http.post(form.action, data=twice, follow_redirects=False)
    assert [urlsplit(answer.headers["location"]).path for answer in (first, second)] == [
        "/portal/company/documents",
        "/portal/sign-in",
    ]
    browser.http.cookies.clear()
    browser.http.cookies.set("portal", signed_in)
    browser.response = await browser.http.get(second.headers["location"])
    assert browser.path == "/portal/company/documents"
    assert browser.page.get("lang") == "km"
    await browser.get("/account")
    assert browser.form("portal/account").fields["language"] == "km"  # notices come in the language of the application

    await fill_in(other, tax_number="K001-000000003", email=email)
    text = await other.send("apply/check", password="correct horse battery", repeated="correct horse battery")
    assert "There is an account with this e-mail address already." in text
    assert "Srok Mongkol Borey" in text


async def test_a_step_with_errors_keeps_what_was_typed(system: System) -> None:
    browser = system.browser()
    await browser.get("/apply/company")

    text = await browser.send("apply/company", company_name=KHMER, tax_number="k-1")

    assert "1 thing" not in text
    assert "must be corrected" in text
    assert "Tax number (TIN): This does not have the form that is needed here." in text
    assert browser.form("apply/company").fields["company_name"] == KHMER
    assert browser.form("apply/company").fields["tax_number"] == "k-1"
    browser.http.cookies.set(COOKIE, "km")
    await browser.send("apply/company")
    (label,) = browser.page.xpath("//label[@for='f-tax-number']/text()")
    (entry,) = browser.page.get_element_by_id("errors").iter("a")
    assert entry.text_content().startswith(f"{label.strip()}៖ ")


async def test_a_form_that_is_too_large_is_refused_with_a_page(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    company = await a_company(system.registry, Status.APPLIED)
    browser = await system.signed_in(company.administrator)
    await browser.get("/company/documents")
    large = b"%PDF-1.7" + bytes(5 * 1024 * 1024)
    assert "at most 5 MB" in await upload(browser, DocumentKind.IDENTITY_DOCUMENT, large, "application/pdf")

    monkeypatch.setattr(posted, "MAX_UPLOAD", 1000)
    text = await upload(browser, DocumentKind.IDENTITY_DOCUMENT, large[:2000], "application/pdf")

    assert browser.response is not None
    assert browser.response.status_code == 413
    assert "Everything you sent before is kept." in text


async def test_an_upload_that_was_cut_off_is_said_and_the_session_goes_on(system: System) -> None:
    company = await a_company(system.registry, Status.APPLIED)
    browser = await system.signed_in(company.administrator)
    await browser.get("/company/documents")
    form = next(form for form in browser.page.forms if form.fields.get("kind") == "identity_document")
    part = '--x\r\ncontent-disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = "".join(part.format(name, value) for name, value in form.form_values() if name != "identity_document")
    body += '--x\r\ncontent-disposition: form-data; name="identity_document"; filename="a.pdf"\r\n\r\n%PDF-1.7 cut off her'
    headers = {"content-type": "multipart/form-data; boundary=x"}

    browser.response = await browser.http.post(form.action, content=body.encode(), headers=headers)

    assert "it did not arrive completely: send it again" in browser.text


async def test_a_returned_application_is_corrected_and_handed_in_again(system: System) -> None:
    company = await a_company(system.registry, Status.APPLIED)
    await system.registry.ask(ReturnRegistration(exporter_id=company.company_id, remarks="ឈ្មោះ​មិន​ត្រូវ <i>"), OFFICER)
    browser = await system.signed_in(company.administrator)
    assert "Returned to you" in browser.text
    assert "<i>" in await browser.get("/company")

    await browser.get("/company/correct")
    text = await browser.send("company/correct", particulars__company_name=KHMER, then="hand-in")
    assert "Certificates are in English" in text
    assert browser.form("company/correct").fields["particulars.company_name"] == KHMER
    text = await browser.send("company/correct", particulars__company_name="Angkor Garment (Cambodia)", then="hand-in")

    assert "It is handed in again" in text
    assert "Angkor Garment (Cambodia)" in text
    assert "Submitted again" in text


async def test_a_registration_is_renewed_from_its_day_on(system: System) -> None:
    early, late = await a_company(system.registry), a_registration(Status.ACTIVE, on=TODAY - timedelta(days=340))
    async with system.registry.work() as work:
        work.session.add(late)
    browser = await system.signed_in(early.administrator)
    assert "You can renew from 24 September 2027 on" in await browser.get("/company/renew")

    browser = await system.signed_in(await somebody_of_a_company(system.registry, company=late.exporter_id))
    assert "25 days" in browser.text
    assert "Its last day is 18 December 2026." in browser.text
    await browser.get("/company/renew")
    assert browser.form("company/renew").fields["particulars.company_name"] == "Angkor Garment Co., Ltd."
    text = await browser.send("company/renew", particulars__phone="+855 99 000 000")

    assert "You have applied for another year" in text
    assert "Your renewal waits at the ministry" in await browser.get("/")


async def test_a_suspended_company_reads_why_on_its_first_page(system: System) -> None:
    company = await a_company(system.registry)
    await system.registry.ask(SuspendRegistration(exporter_id=company.company_id, reason="False invoices"), OFFICER)

    browser = await system.signed_in(company.administrator)

    assert "Your registration is suspended" in browser.text
    assert "False invoices" in browser.text


async def test_an_administrator_invites_a_colleague_once_and_closes_the_account(system: System) -> None:
    company = await a_company(system.registry)
    browser = await system.signed_in(company.administrator)
    await browser.get("/company/colleagues")
    form = browser.form("company/colleagues")
    values = dict(form.form_values()) | {"name": HOSTILE, "email": "kim@silk.example"}

    browser.response = await browser.http.post(form.action, data=values)
    assert "Add at least one." in browser.text
    for _ in range(2):  # a double click
        browser.response = await browser.http.post(form.action, data=values | {"roles[]": "preparer"})
        assert "The invitation is on its way" in browser.text
    links = browser.page.xpath("//table//th/a")
    assert [link.text for link in links] == [HOSTILE]

    await browser.get(links[0].get("href"))
    browser.response = await browser.http.post(browser.path, data=dict(browser.page.forms[-1].form_values()))
    assert "The account is closed" in browser.text
    assert "Deactivated" in browser.text


async def test_a_preparer_sees_neither_colleagues_nor_the_form_of_a_mandate(system: System) -> None:
    browser = await system.signed_in(await system.exporter("preparer"))

    for path in ("/company/colleagues", "/company/mandates/new", "/queue", "/account/passkeys/nonsense"):
        assert "not for your role" in await browser.get(path), path


@pytest_asyncio.fixture(loop_scope="module")
async def parties(system: System) -> Parties:
    return Parties(await a_company(system.registry), await a_company(system.registry))


async def propose(system: System, parties: Parties) -> str:
    """The exporter proposes a mandate by the page; returns the address of the mandate."""
    browser = await system.signed_in(parties.exporter.administrator)
    await browser.get("/company/mandates/new")
    unknown = {"side": "exporter", "other": "K000-000", "scope[]": "signatory", "valid_until": "2027-06-30"}
    assert "No company with this tax number" in await browser.send("mandates/new", **unknown)
    fields = {"side": "exporter", "other": parties.agent.tax_number.lower(), "valid_until": A_YEAR.isoformat()}
    text = await browser.send("mandates/new", **fields, **{"scope[]": ["preparer", "signatory"]})
    assert "The mandate is proposed" in text
    return str(browser.page.xpath("//table//th/a/@href")[0])


async def test_an_agent_accepts_a_mandate_and_acts_for_the_exporter_until_it_is_revoked(
    system: System, parties: Parties
) -> None:
    address = await propose(system, parties)
    agent = await system.signed_in(parties.agent.administrator)
    await agent.get(address)
    assert "In force" in await agent.send(address, act="accept")

    text = await agent.get("/")
    assert "For whom you can act" in text
    assert f"until {A_YEAR:%-d %B %Y}" in text
    await agent.send("company/acting")
    assert "For whom you can act" not in agent.text
    assert "You act for:" in (agent.response.text if agent.response else "")
    assert "Register a product" in await agent.get("/products")
    assert "This page is about your own company" in await agent.get("/company/mandates")

    system.administrator.later(20 * 60)  # the token of the mandate has expired, and is asked for again
    assert "Register a product" in await agent.get("/products")

    mandate_id = address.rpartition("/")[2]
    await parties.exporter.administrator.sign_in()
    await parties.exporter.administrator.ask(RevokeMandate(mandate_id=mandate_id))
    await system.settle()
    assert "no longer in force" in await agent.get("/products")
    assert agent.path == "/portal/company/acting"
    assert "You act for:" not in (agent.response.text if agent.response else "")


async def test_an_api_key_is_shown_until_it_is_stored_and_then_never_again(system: System, parties: Parties) -> None:
    mandate_id = await parties.mandate()
    await system.settle()
    browser = await system.signed_in(parties.agent.administrator)
    await browser.get(f"/company/mandates/{mandate_id}")

    assert "cok_" in await browser.send(f"{mandate_id}/keys", name=KHMER)
    assert "cok_" in await browser.get(f"/company/mandates/{mandate_id}")
    stored = next(form for form in browser.page.forms if form.fields.get("act") == "stored")
    browser.response = await browser.http.post(stored.action, data=dict(stored.form_values()))
    assert "cok_" not in browser.text
    assert KHMER in browser.text
    revoke = next(form for form in browser.page.forms if form.fields.get("act") == "revoke" and "api_key_id" in form.fields)
    browser.response = await browser.http.post(revoke.action, data=dict(revoke.form_values()))
    assert "The key is revoked" in browser.text


async def test_an_expired_session_keeps_what_was_typed_in_a_correction(system: System) -> None:
    company: Company = await a_company(system.registry, Status.RETURNED)
    browser = await system.signed_in(company.administrator)
    await browser.get("/company/correct")
    system.administrator.later(60 * 86_400)

    text = await browser.send("company/correct", particulars__company_name="Typed before the end")
    assert "Your session has ended" in text
    assert parse_qs(urlsplit(str(browser.response.url if browser.response else "")).query)["why"] == ["over"]
    text = await browser.send("sign-in", email=company.administrator.email, password=company.administrator.password)

    assert "nothing is lost" in text
    assert browser.form("company/correct").fields["particulars.company_name"] == "Typed before the end"
