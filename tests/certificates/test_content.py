"""A certificate with everything in it, its history, and its copy: who reads them and what they contain."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, update

from services.certificates.store.tables import certificates, products
from shared.contracts.certificates.content import CopyCertificate, GetCertificateContent, GetCertificateHistory
from shared.contracts.certificates.issuing import (
    DraftCertificate,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from tests.certificates.test_agents import Forwarder
from tests.certificates.test_handlers import APPROVER, REVIEWER, STRANGER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person


async def content(trader: Trader, certificate_id: UUID, person: Any) -> Any:
    return await trader.service.ask(GetCertificateContent(certificate_id=certificate_id), person)


async def test_the_content_is_what_was_declared_and_only_officers_read_the_worksheet(
    service: ServiceUnderTest, trader: Trader
) -> None:
    draft = trader.a_draft()
    await service.ask(draft, trader.person)
    await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), trader.person)
    service.clock.instant += timedelta(hours=1)
    await service.ask(ReviewCertificate(certificate_id=draft.certificate_id, worksheet="Yarn is local."), REVIEWER)

    seen = await content(trader, draft.certificate_id, trader.person)
    assert seen.consignment == draft.consignment
    assert (seen.worksheet, seen.reviewed_by, seen.submission) == (None, REVIEWER.user_id, 1)
    assert (seen.exporter_name, seen.exporter_address) == ("Angkor Garment Co., Ltd.", "Phnom Penh")
    assert (seen.since, seen.submitted_on) == (service.clock.now(), date(2026, 11, 23))
    (item,) = seen.items
    assert (item.product_id, item.product_status) == (trader.product_id, "approved")
    assert (item.box_8, item.fob_disclosed) == ("45%", True)
    by_officer = await content(trader, draft.certificate_id, a_person("auditor"))
    assert by_officer.worksheet == "Yarn is local."
    assert by_officer.model_copy(update={"worksheet": None}) == seen


async def test_content_history_and_copy_are_for_those_who_may_read_them(service: ServiceUnderTest, trader: Trader) -> None:
    forwarder = Forwarder(service, trader, uuid4(), uuid4())
    await forwarder.registered()
    await forwarder.granted()
    certificate_id = (await trader.draft()).certificate_id
    for kind in (GetCertificateContent, GetCertificateHistory, CopyCertificate):
        question: Any = kind(certificate_id=certificate_id)
        assert (await service.ask(question, STRANGER)).code == "not_yours"
        assert (await service.ask(question, forwarder.person())).code == "certificate_begun_by_another"
        assert (await service.ask(kind(certificate_id=uuid4()), trader.person)).code == "certificate_not_found"
    assert (await service.ask(CopyCertificate(certificate_id=certificate_id), REVIEWER)).code == "role_required"
    assert (await content(trader, certificate_id, a_person("registration_officer"))).code == "not_yours"


async def test_the_history_names_every_act_latest_first_in_pages(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = (await trader.submit()).certificate_id
    await service.ask(ReturnCertificate(certificate_id=certificate_id, remarks="ប្រអប់ ២"), REVIEWER)
    await service.ask(ReviseCertificate(certificate_id=certificate_id, consignment=trader.consignment()), trader.person)
    await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    await trader.approve(certificate_id)
    await trader.settle(certificate_id, submission=2)
    await service.do_tasks()

    history = await service.ask(GetCertificateHistory(certificate_id=certificate_id), trader.person)
    acts = [each.act for each in history.acts]
    assert acts == ["issue", "approve", "review", "submit", "revise", "return", "submit", "draft"]
    assert [each.version for each in history.acts] == [8, 7, 6, 5, 4, 3, 2, 1]
    issue, approval, review = history.acts[:3]
    assert (issue.user_id, issue.organisation) == (None, None)
    assert (approval.user_id, approval.organisation) == (APPROVER.user_id, "PNH")
    assert review.remarks is None, "the worksheet is for officers"
    assert history.acts[5].remarks == "ប្រអប់ ២"
    assert (history.acts[7].user_id, history.acts[7].organisation) == (trader.person.user_id, str(trader.exporter_id))
    first = await service.ask(GetCertificateHistory(certificate_id=certificate_id, limit=5), REVIEWER)
    rest = await service.ask(GetCertificateHistory(certificate_id=certificate_id, limit=5, before=first.next), REVIEWER)
    assert (first.next, (*first.acts, *rest.acts), rest.next) == (4, history.acts, None)


async def test_a_held_certificate_says_why_in_its_history(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin(valid_until=date(2026, 11, 23))
    certificate_id = (await trader.submit()).certificate_id
    await trader.approve(certificate_id)
    service.clock.instant += timedelta(days=1)
    await trader.settle(certificate_id)
    await service.do_tasks()

    history = await service.ask(GetCertificateHistory(certificate_id=certificate_id), trader.person)
    assert (history.acts[0].act, history.acts[0].remarks) == ("hold", "exporter_registration_expired")


async def test_a_copy_begins_a_new_certificate(service: ServiceUnderTest, trader: Trader) -> None:
    former = (await trader.submit()).certificate_id
    reasons = RejectCertificate(certificate_id=former, reason="Wrong.", codes=("wrong_form",))
    await service.ask(reasons, REVIEWER)

    copy = await service.ask(CopyCertificate(certificate_id=former), trader.person)

    assert (copy.copy_of, copy.exporter_id, copy.problems) == (former, trader.exporter_id, ())
    (item,) = copy.items
    assert item.problem is None
    assert not {"INV-1", "2026-11-20", "2026-11-25", "Wrong."} & set(copy.model_dump_json().split('"'))
    invoice = {"invoice_number": "INV-2", "invoice_date": "2026-11-22"}
    kept = item.model_dump(exclude={"description", "criterion", "problem"})
    transport = {"vessel": copy.vessel, "port_of_discharge": copy.port_of_discharge, "departure_date": "2026-11-28"}
    consignment = {"office": copy.office, "destination": copy.destination, "consignee": copy.consignee.model_dump()}
    new = DraftCertificate(
        certificate_id=uuid4(),
        exporter_id=copy.exporter_id,
        consignment=consignment | {"transport": transport, "items": [kept | invoice]},
    )
    assert (await service.ask(new, trader.person)).status == "draft"


async def test_a_copy_names_what_has_become_invalid(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = (await trader.draft()).certificate_id

    async def problem() -> Any:
        return (await service.ask(CopyCertificate(certificate_id=certificate_id), trader.person)).items[0].problem

    async with service.work() as work:
        await work.session.execute(update(products).values(status="refused", description="Shirts, as examined"))
    copy = await service.ask(CopyCertificate(certificate_id=certificate_id), trader.person)
    assert (copy.items[0].problem, copy.items[0].description) == ("product_refused", "Shirts, as examined")
    async with service.work() as work:
        await work.session.execute(delete(products))
    assert await problem() == "product_not_found"
    async with service.work() as work:
        body = (await work.session.scalars(certificates.select().with_only_columns(certificates.c.consignment))).one()
        body = replace(body, office="XXX", destination="JP")
    async with service.work() as work:
        await work.session.execute(update(certificates).values(consignment=body, form="D"))
    closed = await service.ask(CopyCertificate(certificate_id=certificate_id), trader.person)
    assert closed.problems == ("destination_not_in_agreement", "office_unknown")
    async with service.work() as work:
        await work.session.execute(update(certificates).values(form="AK"))
    closed = await service.ask(CopyCertificate(certificate_id=certificate_id), trader.person)
    assert closed.problems == ("form_not_available", "office_unknown")
