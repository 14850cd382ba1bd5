"""Registration officers read an application beside its documents, and decide."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.contracts.registry.registrations import RegistrationStatus
from tests.registry.builders import an_application, apply_with_documents
from tests.support.portal import System, a_system


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def test_an_application_is_read_with_its_documents_and_approved(system: System) -> None:
    application = await apply_with_documents(system.registry)
    officer = await system.officer("registration_officer")
    browser = await system.signed_in(officer)

    assert application.company_name in await browser.get("/registrations")
    browser_path = f"/registrations/{application.exporter_id}"
    text = await browser.get(browser_path)
    assert "Certificate of incorporation" in text
    file = browser.page.xpath("//a[contains(@href, '/files/')]/@href")[0]
    response = await browser.http.get(file)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["content-disposition"].startswith("inline; filename=")
    assert len(response.content) == int(response.headers["content-length"])

    await browser.get(browser_path)
    assert "Register the company for one year" in await browser.send("/approve")
    text = await browser.send("/confirm", code=officer.code())
    assert "registered for one year" in text
    assert "Active" in text
    officer.later()

    assert "Fill in this field" in await browser.send("/suspend", reason="")
    await browser.send("/suspend", reason="A false statement <b>of 2026</b>")
    await browser.send("/confirm", code=officer.code())
    assert "A false statement <b>of 2026</b>" in browser.text
    assert "Suspended" in browser.text
    assert application.company_name in await browser.get(f"/registrations?status={RegistrationStatus.SUSPENDED}")


@pytest.mark.slow
async def test_an_application_is_returned_with_remarks_and_an_auditor_decides_nothing(system: System) -> None:
    application = an_application(company_name="Rice <i>Mills</i>", company_name_km="ក្រុមហ៊ុនស្រូវ")
    await system.ask(application)
    browser = await system.signed_in(await system.officer("registration_officer"))
    await browser.get(f"/registrations/{application.exporter_id}")
    assert "It cannot be approved without" in browser.text
    await browser.send("/return", remarks="Attach the identity document.")
    assert "Returned to the company" in browser.text

    auditor = await system.signed_in(await system.officer("auditor"))
    text = await auditor.get(f"/registrations/{application.exporter_id}")
    assert "nothing for you to decide" in text
    assert "Attach the identity document." in text
