"""The list and the page of certificates: what each person sees, what happens next, and what can be done."""

from datetime import date
from re import fullmatch
from uuid import UUID, uuid4

import pytest

from services.certificates.reference_data import ReferenceData
from services.gateway.domain import Step
from services.gateway.handlers.sending import advance
from services.gateway.store import transmissions_of
from services.portal.certificate_words import counted
from services.portal.names import Names
from shared.contracts.certificates.content import SendCertificateMessage
from shared.contracts.certificates.documents import FormD
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    BoxRemark,
    CertificateStatus,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
    SubmitCertificate,
)
from shared.contracts.certificates.lists import CertificateCounts
from shared.contracts.messages import Command
from shared.handling.actor import Actor
from shared.xml.documents import document_in, read_document
from tests.portal.test_import import ENGLISH
from tests.registry.people import Human
from tests.support.portal import System, a_consignment
from tests.support.service_under_test import a_person

REVIEWER = a_person("reviewer")


async def decide(system: System, command: Command, officer: Actor = REVIEWER) -> None:
    """An officer of Phnom Penh decides."""
    service = system.services["certificates"]
    confirmed = service.step_up_of(officer, command) if command.step_up else None
    await system.ask(command, token=service.token_of(officer), step_up=confirmed)


async def submitted(system: System, exporter: Human, **changes: object) -> UUID:
    """A submitted certificate."""
    assert exporter.session
    certificate_id = await system.certificate(exporter, await system.product(exporter), **changes)
    await system.ask(SubmitCertificate(certificate_id=certificate_id), token=exporter.session.token)
    return certificate_id


def test_the_portal_names_every_destination_and_office_of_the_services() -> None:
    known, names = ReferenceData.load(), Names(ENGLISH)

    served = known.form("D", date(2026, 11, 23)).members - {"KH"}
    assert {code for code, _ in names.partners()} == served
    for code, _ in names.offices():
        known.must_have_office(code)


def test_a_number_of_certificates_that_were_not_all_counted_has_a_plus() -> None:
    by_status = {CertificateStatus.ISSUED: 10_000, CertificateStatus.DRAFT: 3}
    counts = CertificateCounts(by_status=by_status, at_least=(CertificateStatus.ISSUED,), unpaid=0, held=0, mine=0)

    assert counted(counts, [CertificateStatus.ISSUED, CertificateStatus.DRAFT], ENGLISH) == "10,003+"
    assert counted(counts, [CertificateStatus.DRAFT, CertificateStatus.WITHDRAWN], ENGLISH) == "3"


async def test_the_list_has_tabs_with_counts_and_finds_by_text_and_destination(system: System) -> None:
    exporter = await system.exporter()
    product_id = await system.product(exporter)
    await system.certificate(exporter, product_id)
    await submitted(system, exporter, destination="VN", consignee={"name": "Saigon Foods", "address": "12 Le Loi"})
    browser = await system.signed_in(exporter)

    text = await browser.get("/certificates")
    assert "All (2)" in text
    assert "Drafts (1)" in text
    assert "With the ministry (1)" in text
    assert "Saigon Foods" not in await browser.get("/certificates?tab=drafts")
    assert "Kuala Trading" not in await browser.get("/certificates?search=saigon")
    assert "Kuala Trading" not in await browser.get("/certificates?destination=VN")
    assert "No certificate matches" in await browser.get("/certificates?search=%27%3B+DROP+TABLE")
    assert "Kuala Trading" in await browser.get("/certificates?tab=strange&destination=%3Cx%3E&office=zz")


async def test_another_company_sees_nothing(system: System) -> None:
    exporter, other = await system.exporter(), await system.exporter()
    certificate_id = await system.certificate(exporter, await system.product(exporter))
    browser = await system.signed_in(other)

    assert "There is no certificate yet" in await browser.get("/certificates")
    assert "belongs to another organisation" in await browser.get(f"/certificates/{certificate_id}")
    await browser.get(f"/certificates/{uuid4()}")
    assert browser.response is not None
    assert browser.response.status_code == 404


async def test_a_returned_certificate_shows_the_remarks_at_their_boxes_and_leads_to_the_field(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await submitted(system, exporter)
    remarks = (BoxRemark(box=3, text="The vessel is another one."), BoxRemark(box=9, item=1, text="The weight differs."))
    await decide(system, ReturnCertificate(certificate_id=certificate_id, remarks="See the boxes.", boxes=remarks))
    browser = await system.signed_in(exporter)

    text = await browser.get(f"/certificates/{certificate_id}")

    assert "Correct what the remarks say" in text
    assert "To correct: The vessel is another one." in text
    assert "Returned for correction" in text
    second = next(form for form in browser.page.forms if form.action.endswith("/edit") and form.fields.get("item") == "1")
    browser.response = await browser.http.post(second.action, data=dict(second.form_values()))
    assert browser.path.endswith("/goods/1")
    assert "ARM 1-500" in browser.response.text
    assert "To correct in box 9: The weight differs." in browser.text
    assert "To correct in box 3: The vessel is another one." in await browser.get(f"/filing/{certificate_id}/transport")
    assert "To correct" not in await browser.get(f"/filing/{certificate_id}/consignee")


async def test_fee_history_and_messages_stand_on_the_page(system: System) -> None:
    exporter = await system.exporter()
    assert exporter.session
    product_id = await system.product(exporter, description="Bicycles", hs_code="87120030", criterion={"kind": "CTH"})
    item = {**a_consignment(product_id)["items"][0], "hs_code": "87120030", "unit": "PCS"}
    certificate_id = await submitted(system, exporter, items=[item])
    question = SendCertificateMessage(certificate_id=certificate_id, message_id=uuid4(), text="Which invoice is it?")
    await decide(system, question)
    await decide(system, ReviewCertificate(certificate_id=certificate_id, worksheet="A secret of the ministry."))
    browser = await system.signed_in(exporter)

    text = await browser.get(f"/certificates/{certificate_id}")

    assert "A second officer of Ministry of Commerce, Phnom Penh must approve it. Pay the fee meanwhile" in text
    assert "216,000 KHR" in text
    assert "How to pay" in text
    assert "Which invoice is it?" in text
    assert "A secret of the ministry." not in text
    assert text.index("Reviewed") < text.rindex("Drafted")
    text = await browser.send("/messages", text="It is <b>ARM-1</b>. អរគុណ")
    assert "Your message is sent" in text
    assert "It is <b>ARM-1</b>. អរគុណ" in text
    assert "Fill in this field" in await browser.send("/messages", text=" ")


@pytest.mark.slow
async def test_a_rejected_certificate_tells_the_reasons_in_words(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await submitted(system, exporter)
    rejected = RejectCertificate(certificate_id=certificate_id, reason="The cloth is foreign.", codes=("criterion_not_met",))
    await decide(system, rejected)
    browser = await system.signed_in(exporter)

    text = await browser.get(f"/certificates/{certificate_id}")

    assert "do not meet the origin criterion in box 8" in text
    assert "The cloth is foreign." in text
    assert "can begin as a copy" in text


async def test_a_certificate_is_withdrawn_and_discarded(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await submitted(system, exporter)
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{certificate_id}")

    assert "The certificate is withdrawn" in await browser.send("/withdraw")
    assert "The certificate is discarded" in await browser.send("/discard")
    assert "There is no certificate yet" in await browser.get("/certificates")
    assert "Kuala Trading" in await browser.get("/certificates?tab=ended")


@pytest.mark.slow
async def test_an_act_that_came_too_late_is_refused_in_a_sentence(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await submitted(system, exporter)
    browser = await system.signed_in(exporter)
    await browser.get(f"/certificates/{certificate_id}")
    rejected = RejectCertificate(certificate_id=certificate_id, reason="No.", codes=("wrong_form",))
    await decide(system, rejected)

    text = await browser.send("/withdraw")

    assert "must be corrected" in text
    assert "Rejected" in text


async def test_an_officer_reads_every_certificate_but_changes_none(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await submitted(system, exporter)
    browser = await system.signed_in(await system.officer("reviewer"))

    text = await browser.get("/certificates")
    assert "Angkor Rice Mills" in text
    assert "New certificate" not in text
    assert "There is none" in await browser.get("/certificates?office=SHV&tab=issued")
    text = await browser.get(f"/certificates/{certificate_id}")
    assert "Write to the exporter" in text
    assert "Copy to a new certificate" not in text
    response = await browser.http.post(f"/portal/certificates/{certificate_id}/withdraw")
    assert response.status_code in (403, 413)


@pytest.mark.slow
async def test_the_page_stays_when_the_fees_do_not_answer(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await submitted(system, exporter)
    browser = await system.signed_in(exporter)
    system.without = {"fees"}

    assert "Form D, box by box" in await browser.get(f"/certificates/{certificate_id}")


@pytest.mark.slow
async def test_the_list_goes_on_page_by_page(system: System) -> None:
    exporter = await system.exporter()
    product_id = await system.product(exporter)
    for number in range(26):
        await system.certificate(exporter, product_id, consignee={"name": f"Buyer {number}", "address": "Kuala Lumpur"})
    browser = await system.signed_in(exporter)
    await browser.get("/certificates")

    following = [link.get("href") for link in browser.page.iter("a") if link.get("rel") == "next"]
    text = await browser.get(following[0])

    assert text.count("Buyer") == 1
    assert "Next page" not in text


async def an_issued_certificate(system: System) -> tuple[Human, UUID]:
    """A certificate whose document waits at the gateway."""
    exporter = await system.exporter()
    certificate_id = await submitted(system, exporter)
    await decide(system, ReviewCertificate(certificate_id=certificate_id, worksheet="Complete."))
    await decide(system, ApproveCertificate(certificate_id=certificate_id), a_person("approver"))
    return exporter, certificate_id


async def test_an_approver_holds_a_document_resumes_it_and_sends_a_rejected_one_again(system: System) -> None:
    exporter, certificate_id = await an_issued_certificate(system)
    approver = await system.signed_in(await system.officer("approver"))
    here = f"/certificates/{certificate_id}"
    await approver.get(here)

    await approver.send(f"{here}/hold", reason="The exporter asks to wait.")
    assert "The document is held. It is not sent until it is resumed." in approver.text
    company = await system.signed_in(exporter)
    assert "It is not sent yet: The exporter asks to wait." in await company.get(here)
    assert not company.page.xpath("//form[contains(@action, '/resume')]")

    await approver.send(f"{here}/resume")
    assert "The document is sent now." in approver.text

    gateway = system.services["gateway"]
    async with gateway.work() as work:
        (transmission,) = await transmissions_of(work, certificate_id)
        for code in ("AS2", "NOT"):
            advance(transmission, Step(code, gateway.clock.now(), "MY", ["hs_code_not_recognised"], "Unknown code."), work)
    await approver.get(here)
    await approver.send(f"{here}/resend")

    assert "The document is sent again." in approver.text
    assert approver.page.xpath("//form[contains(@action, '/hold')]")
    titles = [each.text_content() for each in approver.page.xpath("//*[@id='timeline']//li")]
    assert sum("Unknown code." in title for title in titles) == 2, "the former transmission stays in the history"


async def test_an_empty_reason_to_hold_is_shown_again(system: System) -> None:
    _, certificate_id = await an_issued_certificate(system)
    approver = await system.signed_in(await system.officer("approver"))
    await approver.get(f"/certificates/{certificate_id}")
    await approver.send(f"/certificates/{certificate_id}/hold", reason=" ")
    assert "Fill in this field." in approver.text


async def test_an_issued_certificate_is_downloaded_as_pdf_and_as_data(system: System) -> None:
    exporter, certificate_id = await an_issued_certificate(system)
    for human in (exporter, await system.officer("approver"), await system.officer("auditor")):
        browser = await system.signed_in(human)
        assert "Download certificate (PDF)" in await browser.get(f"/certificates/{certificate_id}")
        pdf = await browser.http.get(f"/portal/certificates/{certificate_id}/certificate.pdf")
        data = await browser.http.get(f"/portal/certificates/{certificate_id}/certificate.json")
        xml = await browser.http.get(f"/portal/certificates/{certificate_id}/certificate.xml")

        assert (pdf.headers["content-type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
        assert fullmatch(r'attachment; filename="D2026-PNH-[0-9]{6}\.pdf"', pdf.headers["content-disposition"])
        assert data.json()["code"]
        assert xml.headers["content-type"] == "application/xml"
        assert read_document(document_in(xml.content)) == FormD.model_validate_json(data.json()["document"])


async def test_a_draft_has_a_preview(system: System) -> None:
    exporter = await system.exporter()
    certificate_id = await system.certificate(exporter, await system.product(exporter))
    browser = await system.signed_in(exporter, "km")
    assert "មើលទំព័រជាមុន" in await browser.get(f"/certificates/{certificate_id}")

    form = browser.form("/preview")
    preview = await browser.http.post(form.action, data=dict(form.form_values()))

    assert preview.content.startswith(b"%PDF-")


async def test_an_approver_makes_a_numbered_contingency_print(system: System) -> None:
    _, certificate_id = await an_issued_certificate(system)
    approver = await system.signed_in(await system.officer("approver"))
    await approver.get(f"/certificates/{certificate_id}")

    await approver.send("/contingency", reason="The gateway of Malaysia is down.")
    await approver.get(f"/certificates/{certificate_id}")

    (link,) = [each.get("href") for each in approver.page.iter("a") if "/copies/" in (each.get("href") or "")]
    assert fullmatch(
        "PNH-2026-[0-9]{5}",
        (link_text := "".join(each.text or "" for each in approver.page.iter("a") if each.get("href") == link)),
    ), link_text
    assert (await approver.http.get(link)).content.startswith(b"%PDF-")
    reviewer = await system.signed_in(await system.officer("reviewer"))
    assert "Make a numbered print" not in await reviewer.get(f"/certificates/{certificate_id}")
