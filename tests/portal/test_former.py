"""A company finds its certificates of the former system in the portal, and copies one."""

from shared.contracts.certificates.importing import ImportCertificates, ImportProducts
from tests.certificates.former import a_former_certificate, a_former_product
from tests.support.portal import System
from tests.support.service_under_test import a_person


async def import_one(system: System, exporter_id: str) -> None:
    service, administrator = system.services["certificates"], a_person("administrator", organisation="MOC")
    product, certificate = a_former_product(exporter_id=exporter_id), a_former_certificate(exporter_id=exporter_id)
    await service.ask(ImportProducts(products=[product]), administrator)
    await service.ask(ImportCertificates(certificates=[certificate]), administrator)


async def test_a_certificate_of_the_former_system_begins_a_new_one(system: System) -> None:
    exporter = await system.exporter()
    assert exporter.session
    browser = await system.signed_in(exporter)
    assert "From the former system" not in await browser.get("/certificates")
    await import_one(system, exporter.session.organisation)
    assert "From the former system" in await browser.get("/certificates")

    assert "No certificate of the former system is found" in await browser.get("/certificates/former?search=unknown")
    text = await browser.get("/certificates/former?search=saigon")
    assert "KH-D-2026-004711" in text
    text = await browser.send("/copy")

    assert browser.path.startswith("/portal/filing/")
    assert "T-shirts, knitted, of cotton" in text
