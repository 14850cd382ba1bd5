"""Officers keep the register of certified exporters; a company sees its own entry."""

from uuid import UUID

from tests.registry.people import Human
from tests.support.portal import Browser, System


async def company_and_officer(system: System) -> tuple[Human, UUID, Browser]:
    """A company with an approved product, and the browser of an approver of the headquarters."""
    exporter = await system.exporter()
    product = await system.product(exporter)
    officer = await system.officer("approver")
    system.people = {"approver": officer}  # type: ignore[attr-defined]
    return exporter, product, await system.signed_in(officer)


async def confirm(system: System, browser: Browser) -> str:
    officer: Human = system.people["approver"]  # type: ignore[attr-defined]
    officer.later()
    text = await browser.send("/confirm", code=officer.code(), act=None)
    officer.later()
    return text


async def certify(system: System, browser: Browser, exporter: Human, product: UUID) -> str:
    assert exporter.session
    assert "Angkor Rice Mills" in await browser.get(f"/certified-exporters/{exporter.session.organisation}")
    text = await browser.send(
        "/content", valid_until="2027-06-30", people="Sok Dara; Export manager", product_ids=str(product), reason="Audited."
    )
    assert "Certify the exporter" in text
    assert "Sok Dara (Export manager)" in text
    return await confirm(system, browser)


async def test_an_approver_certifies_changes_and_suspends_an_exporter(system: System) -> None:
    exporter, product, browser = await company_and_officer(system)
    assert exporter.session
    assert "not certified" in await browser.get("/certified-exporters?search=angkor")

    text = await certify(system, browser, exporter, product)
    assert "KH-CE-2026-" in text
    assert "The public check knows it within seconds." in text

    await browser.send("/act", act="suspend", act_reason="Records are missing.")
    assert "Suspend the certified exporter" in browser.text
    text = await confirm(system, browser)
    assert "Suspended: Records are missing." in text
    assert "Reinstate: declarations count again" in text

    listed = await browser.get("/certified-exporters?status=suspended")
    assert "KH-CE-2026-" in listed


async def test_what_is_missing_is_told_at_its_field(system: System) -> None:
    exporter, product, browser = await company_and_officer(system)
    assert exporter.session
    await browser.get(f"/certified-exporters/{exporter.session.organisation}")

    text = await browser.send("/content", valid_until="", people="Sok Dara", product_ids=str(product), reason="")

    assert browser.response is not None
    assert browser.response.status_code == 422
    for field in ("valid_until", "people", "reason"):
        assert browser.page.get_element_by_id(f"f-{field.replace('_', '-')}").get("aria-invalid") == "true", text


async def test_a_company_and_an_auditor_see_the_entry_and_cannot_change_it(system: System) -> None:
    exporter, product, browser = await company_and_officer(system)
    await certify(system, browser, exporter, product)
    own = await system.signed_in(exporter)
    assert exporter.session

    assert "Your company is a certified exporter: KH-CE-2026-" in await own.get("/products")
    text = await own.get(f"/certified-exporters/{exporter.session.organisation}")
    assert "Sok Dara · Export manager" in text
    assert "Continue to the confirmation" not in text

    auditor = await system.signed_in(await system.officer("auditor"))
    text = await auditor.get(f"/certified-exporters/{exporter.session.organisation}")
    assert "Audited." in text
    assert "Continue to the confirmation" not in text
