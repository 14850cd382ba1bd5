"""Officers decide: from the queue, one by one or many at once, on the version that they have seen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from shared.contracts.certificates.content import GetCertificateContent
from shared.contracts.certificates.issuing import (
    CertificateState,
    CertificateStatus,
    GetCertificate,
    ReturnCertificate,
    ReviewCertificate,
    SubmitCertificate,
)
from tests.registry.people import Human
from tests.support.portal import Browser, System, a_system

HOSTILE = "<script>alert(1)</script> '\"&{{7*7}} ខ្មែរ \u202e"


@pytest_asyncio.fixture(loop_scope="module")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    async with a_system(tmp_path) as running:
        yield running


async def submitted(system: System, exporter: Human, count: int = 1, **changes: Any) -> list[UUID]:
    """Submitted certificates of a company."""
    assert exporter.session
    product = await system.product(exporter)
    found = [await system.certificate(exporter, product, **changes) for _ in range(count)]
    for each in found:
        await system.ask(SubmitCertificate(certificate_id=each), token=exporter.session.token)
    return found


async def reviewed(system: System, certificates: list[UUID]) -> Human:
    """An officer who has reviewed the certificates."""
    officer = await system.officer("reviewer")
    assert officer.session
    for each in certificates:
        await system.ask(ReviewCertificate(certificate_id=each, worksheet="Complete."), token=officer.session.token)
    return officer


async def state_of(system: System, certificate_id: UUID, human: Human) -> CertificateState:
    """The certificate as it is now."""
    assert human.session
    state: CertificateState = await system.ask(GetCertificate(certificate_id=certificate_id), token=human.session.token)
    return state


def rows(browser: Browser) -> list[str]:
    """The boxes beside the certificates of the queue."""
    return [box.get("value") for box in browser.page.xpath("//input[@name='chosen']")]


async def test_many_are_approved_with_one_code_and_each_outcome_is_told(system: System) -> None:
    certificates = await submitted(system, await system.exporter(), 4)
    reviewer = await reviewed(system, certificates)
    assert reviewer.session
    approver = await system.officer("approver")
    browser = await system.signed_in(approver)

    await browser.get("/queue")
    assert len(rows(browser)) == 4
    text = await browser.send("/queue/approve", chosen=rows(browser))
    assert "Confirm 4 decisions" in text
    assert "Kuala Trading Sdn. Bhd., Malaysia" in text
    await system.ask(ReturnCertificate(certificate_id=certificates[0], remarks="Box 7."), token=reviewer.session.token)
    system.without.add(certificates[3])
    text = await browser.send("/confirm", code=approver.code())
    system.without.clear()

    assert "2 of 4 are done. The table says what became of the others." in text
    assert "has changed since you opened it" in text
    assert text.count("The service did not answer in time.") == 1
    states = [(await state_of(system, each, approver)).status for each in certificates]
    assert states == [
        CertificateStatus.RETURNED,
        CertificateStatus.ISSUED,
        CertificateStatus.ISSUED,
        CertificateStatus.REVIEWED,
    ]
    await browser.get("/queue")
    assert rows(browser) == [f"{certificates[3]}:{(await state_of(system, certificates[3], approver)).version}"]


async def test_a_reviewer_approves_one_product_and_refuses_another_with_the_reason(system: System) -> None:
    exporter = await system.exporter()
    good, bad = [await system.product(exporter, approved=False) for _ in range(2)]
    browser = await system.signed_in(await system.officer("reviewer"))

    await browser.get(f"/products/{good}")
    assert "Certificates can name this product now." in await browser.send("/approve")
    await browser.get(f"/products/{bad}")
    assert "Reason: Fill in this field." in await browser.send("/refuse")
    assert "The exporter sees your reason." in await browser.send("/refuse", reason=HOSTILE)
    assert "There is nothing for you to decide here." in browser.text

    trader = await system.signed_in(exporter)
    assert "The ministry writes:" in await trader.get(f"/products/{bad}")
    assert "<script>alert" not in trader.response.text  # type: ignore[union-attr]
    assert "Approved" in await trader.get(f"/products/{good}")


@pytest.mark.slow
async def test_nothing_chosen_is_said_on_the_queue(system: System) -> None:
    await reviewed(system, await submitted(system, await system.exporter()))
    browser = await system.signed_in(await system.officer("approver"))
    await browser.get("/queue")

    assert "Choose at least one certificate" in await browser.send("/queue/approve")


@pytest.mark.slow
async def test_a_wrong_code_changes_nothing_and_a_double_click_confirms_once(system: System) -> None:
    (certificate_id,) = await submitted(system, await system.exporter())
    await reviewed(system, [certificate_id])
    approver = await system.officer("approver")
    browser = await system.signed_in(approver)
    await browser.get(f"/certificates/{certificate_id}?tab=approve")
    assert "Complete." in browser.text
    await browser.send("/approve")

    assert "code is wrong" in await browser.send("/confirm", code="000000")
    assert (await state_of(system, certificate_id, approver)).status == CertificateStatus.REVIEWED
    approver.later()
    sent = {name: value for name, value in browser.form("/confirm").form_values() if name != "act"} | {"code": approver.code()}
    both = await asyncio.gather(*(browser.http.post("/portal/confirm", data=sent, follow_redirects=False) for _ in range(2)))

    assert {each.headers["location"].split("?")[0] for each in both} == {f"/portal/certificates/{certificate_id}"}
    assert (await state_of(system, certificate_id, approver)).status == CertificateStatus.ISSUED
    assert "Your decision is done" in await browser.get("/confirm")


async def test_two_officers_on_one_certificate_see_each_other(system: System) -> None:
    (certificate_id,) = await submitted(system, await system.exporter())
    path = f"/certificates/{certificate_id}"
    first, second = [await system.signed_in(await system.officer("reviewer")) for _ in range(2)]
    await first.get(path)
    await second.get(path)
    await first.send("/take")

    text = await second.send("/review", checks=["complete", "origin"], worksheet="All in order.")
    assert "another officer" in text.lower()
    assert "works on this certificate until" in text
    assert second.form("/review").fields["worksheet"] == "All in order."
    await second.send("/take")
    await second.get(path)
    assert "You work on it until" in second.text
    await second.send("/review", checks=["complete", "origin"], worksheet="All in order.")

    person = await system.officer("auditor")
    assert person.session
    content = await system.ask(GetCertificateContent(certificate_id=certificate_id), token=person.session.token)
    assert content.state.status == CertificateStatus.REVIEWED
    assert content.worksheet.splitlines()[-1] == "All in order."
    assert len(content.worksheet.splitlines()) == 3


@pytest.mark.slow
async def test_a_certificate_is_returned_box_by_box_and_what_is_typed_survives_an_error(system: System) -> None:
    exporter = await system.exporter()
    (certificate_id,) = await submitted(system, exporter)
    browser = await system.signed_in(await system.officer("reviewer"))
    await browser.get(f"/certificates/{certificate_id}")

    text = await browser.send("/return", box__7__text=HOSTILE, box__7__item="zero")
    assert "must be corrected" in text
    assert "<script>alert" not in browser.response.text  # type: ignore[union-attr]
    assert browser.form("/return").fields["box.7.text"] == HOSTILE
    await browser.send("/return", box__7__item="1")

    state = await state_of(system, certificate_id, exporter)
    assert state.status == CertificateStatus.RETURNED
    assert [(each.box, each.item, each.text) for each in state.box_remarks] == [(7, 1, HOSTILE.strip())]
    assert state.remarks
    assert "Box 7" in state.remarks


@pytest.mark.slow
async def test_a_rejection_names_its_reasons_and_is_confirmed(system: System) -> None:
    exporter, officer = await system.exporter(), await system.officer("reviewer")
    (certificate_id,) = await submitted(system, exporter)
    browser = await system.signed_in(officer)
    await browser.get(f"/certificates/{certificate_id}")

    text = await browser.send("/reject", codes=["criterion_not_met"])
    assert "Reject the certificate" in text
    assert "criterion in box 8" in text
    await browser.send("/confirm", code=officer.code())

    state = await state_of(system, certificate_id, exporter)
    assert (state.status, state.reasons) == (CertificateStatus.REJECTED, ("criterion_not_met",))


@pytest.mark.slow
async def test_the_next_certificate_is_the_longest_waiting_that_nobody_works_on(system: System) -> None:
    first, second, third = await submitted(system, await system.exporter(), 3)
    other = await system.signed_in(await system.officer("reviewer"))
    browser = await system.signed_in(await system.officer("reviewer"))
    await other.get(f"/certificates/{second}")
    await other.send("/take")

    await browser.get(f"/queue/next?tab=review&not={first}")
    assert browser.path.endswith(str(third))


@pytest.mark.slow
async def test_hostile_searches_and_strangers_get_a_page_and_no_error(system: System) -> None:
    exporter = await system.signed_in(await system.exporter())
    officer = await system.signed_in(await system.officer("reviewer"))
    for search in ("%27%3B--", "%00%1f", "x" * 5000, "%E1%9E%80", "{{7*7}}"):
        await officer.get(f"/queue?search={search}&after={search}")
        assert officer.response is not None
        assert officer.response.status_code < 500
    for path in ("/queue", "/queue/next", "/cashier", "/registrations", "/officers", "/audit", "/received"):
        assert "not for your role" in await exporter.get(path)
