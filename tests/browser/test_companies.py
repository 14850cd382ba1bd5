"""A new company, the administrator of a company, and an agent: from the sign-in to the result."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from tests.browser.conftest import PersonOf
from tests.browser.makers import an_officer
from tests.browser.site import LiveSite
from tests.registry.builders import FILES, apply_with_documents
from tests.registry.parties import Parties, a_company
from tests.registry.people import PASSPHRASE, Human, mailbox

CONSIGNEE = {
    "consignment.destination": "MY",
    "consignment.office": "PNH",
    "consignment.consignee.name": "Kuala Trading Sdn. Bhd.",
    "consignment.consignee.address": "12 Jalan Ampang, Kuala Lumpur",
}
TRANSPORT = {
    "consignment.transport.departure_date": "2026-12-10",
    "consignment.transport.vessel": "MV Mekong 12",
    "consignment.transport.port_of_discharge": "Port Klang",
}
ITEM = {
    "consignment.items.0.quantity": "25000",
    "consignment.items.0.unit": "KGM",
    "consignment.items.0.packages": "500",
    "consignment.items.0.package_kind": "bags",
    "consignment.items.0.marks": "ARM 1-500",
    "consignment.items.0.gross_weight_kg": "25100",
    "consignment.items.0.fob.amount": "18500",
    "consignment.items.0.fob.currency": "USD",
    "consignment.items.0.invoice_number": "ARM-2026-117",
    "consignment.items.0.invoice_date": "2026-11-20",
    "consignment.items.0.manufacturer": "Angkor Rice Mill",
}
NEW = {
    "consignment.transport.departure_date": "2026-12-15",
    "all.invoice_number": "ARM-2026-118",
    "all.invoice_date": "2026-11-22",
}
"""What is new in a copy."""


def test_a_new_company_applies_sends_its_documents_and_sees_that_it_waits(
    site: LiveSite, person_of: PersonOf, tmp_path: Path
) -> None:
    person = person_of()
    person.open("/sign-in")
    person.press("Apply for registration")
    person.press("Begin")

    tax_number = f"K001-{uuid4().int % 10**9:09}"
    person.send("/company", {"company_name": "Kampot Pepper Co., Ltd.", "company_name_km": "ម្រេចកំពត", "tax_number": tax_number})
    person.send("/address", {"address": "No 12, Street 271", "district": "0102", "phone": "+855 23 123 456"})
    person.send("/representative", {"representative.name": "Sok Vanna", "representative.position": "Director"})
    person.send("/account", {"administrator_name": "Sok Vanna", "email": f"{uuid4().hex[:12]}@pepper.example"})
    person.send("/check", {"password": PASSPHRASE, "repeated": PASSPHRASE})
    for kind, (content, media_type) in FILES.items():
        file = tmp_path / f"{kind.value}.{media_type.rpartition('/')[2]}"
        file.write_bytes(content)
        person.page.locator(f"input[name='{kind.value}']").set_input_files(file)
        person.follow(person.page.locator(f"form:has(input[name='{kind.value}']) button"))

    assert person.say("Everything is here") in person.text()
    person.open("/")
    assert person.page.locator("#registering").is_visible()
    assert person.say("Complete the application") not in person.text()


def test_a_registration_officer_approves_a_company_with_a_code(site: LiveSite, person_of: PersonOf) -> None:
    application = site.do(apply_with_documents(site.system.registry))
    human = an_officer(site, "registration_officer")
    officer = person_of()
    officer.sign_in(human)
    officer.open("/registrations")

    officer.follow(officer.page.locator(f"a[href$='{application.exporter_id}']"))
    officer.send("/approve")
    officer.confirm(human)

    assert officer.say("The company is registered for one year.") in officer.text()
    company = person_of()
    company.sign_in(Human(site.system.registry, application.email))
    company.open("/company")
    assert company.say("Registered since") in company.text()


def test_an_administrator_invites_a_colleague_who_accepts_and_signs_in(site: LiveSite, person_of: PersonOf) -> None:
    company, email = site.do(a_company(site.system.registry)), f"{uuid4().hex[:12]}@garment.example"
    administrator = person_of()
    administrator.sign_in(company.administrator)
    administrator.open("/company/colleagues")
    administrator.send("/colleagues", {"name": "Kim Sreymom", "email": email, "roles[]": ["preparer", "signatory"]})
    assert administrator.say("The invitation is on its way by e-mail.") in administrator.text()

    site.do(site.system.settle())
    colleague = person_of()
    colleague.open(f"/invitation#{mailbox(site.system.registry).link(email, 'invitation')}")
    colleague.send("/invitation", {"password": PASSPHRASE, "repeated": PASSPHRASE})
    colleague.sign_in(Human(site.system.registry, email))
    colleague.open("/certificates")
    colleague.press("New certificate")

    administrator.follow(administrator.page.get_by_role("link", name="Kim Sreymom"))
    assert administrator.say("Send the invitation again") not in administrator.text()


def an_exporter_and_an_agent(site: LiveSite) -> tuple[Parties, UUID]:
    """Two companies with a proposed mandate, and a product of the exporter."""

    async def make() -> tuple[Parties, UUID]:
        system = site.system
        parties = Parties(await a_company(system.registry), await a_company(system.registry))
        for each in (parties.exporter, parties.agent):
            await system.registered(each.company_id, f"Company {each.tax_number}")
        exporter = parties.exporter.administrator
        product_id = await system.product(exporter)
        day = system.registry.context.clock.today() + timedelta(days=300)
        await exporter.ask(parties.proposal(valid_until=day))
        await system.settle()
        return parties, product_id

    return site.do(make())


def test_an_agent_accepts_a_mandate_and_drafts_a_copy_for_the_exporter(site: LiveSite, person_of: PersonOf) -> None:
    parties, product_id = an_exporter_and_an_agent(site)
    agent = person_of()
    agent.sign_in(parties.agent.administrator)
    agent.open("/company/mandates")
    agent.follow(agent.page.locator("table th a").first)
    agent.follow(agent.page.locator("form:has(input[value=accept]) button"))
    agent.send("/company/acting")
    assert agent.page.locator(".acting").is_visible()

    agent.open("/certificates")
    agent.send("/certificates/new")
    agent.send("/consignee", CONSIGNEE, "button[value=next]")
    agent.send("/transport", TRANSPORT, "button[value=next]")
    agent.send("/goods/1", {"consignment.items.0.product_id": str(product_id)} | ITEM, "button[value=next]")
    agent.send("/goods", {}, "button[value=next]")
    agent.send("/review", {}, "button[value=draft]")
    agent.send("/copy")
    agent.send("/complete", NEW, "button[value=next]")
    agent.send("/review", {}, "button[value=draft]")

    assert agent.say("Saved as a draft") in agent.text()
    exporter = person_of()
    exporter.sign_in(parties.exporter.administrator)
    exporter.follow(exporter.page.locator("table th a").first)
    assert exporter.say("Prepared by") in exporter.text()
