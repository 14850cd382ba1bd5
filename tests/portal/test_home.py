"""The first page of each role: what waits, and what to do. A service that does not answer takes only its cards away."""

from shared.contracts.certificates.issuing import SubmitCertificate
from shared.contracts.certificates.products import RefuseProduct
from tests.support.portal import System, a_consignment
from tests.support.service_under_test import a_person

KHMER = "ខ្វះ​ឯកសារ <b>ថ្លៃដើម</b>"


async def test_an_exporter_sees_drafts_payments_products_and_the_last_certificates(system: System) -> None:
    human = await system.exporter()
    assert human.session
    shirts = await system.product(human, description="Cotton shirts", hs_code="62052000", criterion={"kind": "CTH"})
    refused = await system.product(human, approved=False, description="Silk & scarves")
    token = system.services["certificates"].token_of(a_person("reviewer"))
    await system.ask(RefuseProduct(product_id=refused, reason=KHMER), token=token)
    item = a_consignment(shirts)["items"][0] | {"hs_code": "62052000", "quantity": "3000", "unit": "PCS"}
    await system.certificate(human, shirts, items=[item])
    submitted = await system.certificate(human, shirts, items=[item])
    await system.ask(SubmitCertificate(certificate_id=submitted), token=human.session.token)

    browser = await system.signed_in(human)

    for expected in ("Drafts", "To pay", "KHR", "At the ministry", "Products refused", "Your last certificates", "Malaysia"):
        assert expected in browser.text
    assert browser.form(f"{submitted}/copy") is not None
    assert KHMER in await browser.get(f"/products/{refused}")
    await browser.get("/payments?show=unpaid")
    await browser.get(browser.page.xpath("//tbody//th/a/@href")[0])
    assert "Name the payment reference" in browser.text
    assert "Joint Prakas 315" in browser.text

    system.without.add("fees")
    text = await browser.get("/")
    system.without.clear()
    assert "do not answer at the moment" in text
    assert "Payments. The rest is complete" in text
    assert "Products refused" in text


async def test_each_officer_sees_what_waits_for_their_role(system: System) -> None:
    expected = {
        ("reviewer", "approver"): (
            "To review",
            "To approve",
            "Questions of foreign customs",
            "Customs of no country wait for an answer.",
        ),
        ("registration_officer",): ("Registrations waiting",),
        ("cashier",): ("Invoices not paid",),
        ("auditor",): ("Officers", "Certificates issued", "Documents from partner countries"),
    }
    for roles, titles in expected.items():
        browser = await system.signed_in(await system.officer(*roles))
        for title in titles:
            assert title in browser.text, (roles, title)
        assert "New certificate" not in browser.text


async def test_a_product_is_registered_once_with_a_percentage_only_for_rvc(system: System) -> None:
    browser = await system.signed_in(await system.exporter())
    await browser.get("/products/new")
    text = await browser.send("products/new", description="Bicycles <b>", hs_code="87120030", criterion__kind="RVC")
    assert "Give the percentage" in text
    text = await browser.send("products/new", description="កង់", criterion__percentage="47.5")
    assert "a certificate is in english" in text.lower()

    form = browser.form("products/new")
    values = dict(form.form_values()) | {"description": "Bicycles <b>", "criterion.kind": "CTH"}
    for _ in range(2):  # a double click
        browser.response = await browser.http.post(form.action, data=values)
        assert "The product is registered" in browser.text
    await browser.get("/products?status=registered&search=bicyc")

    assert browser.page.xpath("//tbody//th/a/text()") == ["Bicycles <b>"]
    assert "No product fits this search." in await browser.get("/products?search=%E1%9E%80&after=hostile%00")
