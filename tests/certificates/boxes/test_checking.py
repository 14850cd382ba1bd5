"""The checks of boxes on the bus: hints while it is a draft, and one refusal with all problems at the submission."""

import json
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.certificates.checking import CheckDraft, DraftProblems, ListBoxChecks
from shared.contracts.certificates.content import CertificateContent, CopyCertificate, GetCertificateContent
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import DraftCertificate, ReviseCertificate, SubmitCertificate
from shared.contracts.certificates.originals import EnterOriginal
from shared.contracts.certificates.products import ApproveProduct, RefuseProduct, RegisterProduct
from shared.contracts.messages import Refusal
from tests.certificates.test_handlers import REVIEWER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person

Changes = dict[str, Any]
ITEM = "consignment.items.0"


def with_item(trader: Trader, **changes: Any) -> Changes:
    """A consignment whose only item is changed."""
    (item,) = trader.consignment()["items"]
    return {"items": [item | changes]}


def transport(**changes: Any) -> Changes:
    """A consignment whose transport is changed."""
    usual = {"departure_date": "2026-11-25", "vessel": "MEKONG STAR", "port_of_discharge": "CAT LAI"}
    return {"transport": usual | changes}


THREE = [{"number": "INV-2"}, {"number": "INV-3", "date": "2026-11-21"}]
BAD: list[tuple[str, Changes, Changes, str, str, str]] = [
    ("a negative FOB value", {}, {"fob": {"amount": "-1", "currency": "USD"}}, "9", "fob_not_positive", f"{ITEM}.fob.amount"),
    ("an FOB value of zero", {}, {"fob": {"amount": "0", "currency": "USD"}}, "9", "fob_not_positive", f"{ITEM}.fob.amount"),
    ("three invoices, one without its date", {}, {"more_invoices": THREE}, "10", "invoice_without_date",
     f"{ITEM}.more_invoices.0.date"),
    ("a departure 400 days ago", transport(departure_date="2025-10-19"), {}, "3", "departure_too_long_ago",
     "consignment.transport.departure_date"),
    ("no item", {"items": []}, {}, "5", "no_items", "consignment.items"),
    ("Khmer in box 2", {"consignee": {"name": "អង្គរ", "address": "Hanoi"}}, {}, "2", "text_not_latin",
     "consignment.consignee.name"),
    ("an emoji in box 6", {}, {"marks": "SAT 👕"}, "6", "text_not_latin", f"{ITEM}.marks"),
    ("a right-to-left mark in box 3", transport(vessel="A\u202eB"), {}, "3", "text_not_latin", "consignment.transport.vessel"),
    ("a missing manufacturer", {}, {"manufacturer": None}, "7", "manufacturer_missing", f"{ITEM}.manufacturer"),
    ("BY TRUCK in box 3", transport(vessel="BY TRUCK 2A-1234"), {}, "3", "transport_with_mode",
     "consignment.transport.vessel"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("consignment", "item", "box", "code", "field"), [each[1:] for each in BAD], ids=[each[0] for each in BAD]
)
async def test_a_draft_with_a_problem_is_stored_and_refused_by_its_box_when_it_is_submitted(
    service: ServiceUnderTest, trader: Trader, consignment: Changes, item: Changes, box: str, code: str, field: str
) -> None:
    wanted = with_item(trader, **item) | consignment
    state = await trader.draft(**wanted)

    hints: DraftProblems = await check(service, trader, wanted)
    refused = await service.ask(SubmitCertificate(certificate_id=state.certificate_id), trader.person)

    assert [(str(each.box), each.code, each.fields) for each in hints.problems] == [(box, code, (field,))]
    assert hints.problems[0].source
    assert set(hints.problems[0].text) == {"en", "km"}
    assert (refused.code, refused.fields, refused.values["box"]) == (code, (field,), box)
    assert refused.detail == hints.problems[0].text["en"]
    assert (await trader.state(state.certificate_id)).status == "draft"


async def check(service: ServiceUnderTest, trader: Trader, changes: Changes) -> Any:
    return await service.ask(
        CheckDraft(exporter_id=trader.exporter_id, consignment=trader.consignment() | changes), trader.person
    )


@pytest.mark.parametrize(
    ("changes", "box", "code", "field"),
    [
        ({"destination": "JP"}, "2", "destination_not_in_agreement", "consignment.destination"),
        ({"office": "XXX"}, "12", "office_unknown", "consignment.office"),
    ],
)
async def test_what_cannot_be_stored_is_refused_by_its_box_at_the_draft(
    service: ServiceUnderTest, trader: Trader, changes: Changes, box: str, code: str, field: str
) -> None:
    refused = await trader.draft(**changes)
    assert (refused.code, refused.fields, refused.values["box"]) == (code, (field,), box)


@pytest.mark.parametrize(
    ("criterion", "code", "field"),
    [
        ({"kind": "PE"}, "criterion_not_in_form", "criterion.kind"),
        ({"kind": "GSP"}, "criterion_not_in_form", "criterion.kind"),
        ({"kind": "RVC", "percentage": "39.999"}, "content_below_threshold", "criterion.percentage"),
    ],
)
async def test_a_product_with_a_criterion_that_form_d_does_not_take_is_refused(
    service: ServiceUnderTest, trader: Trader, criterion: Changes, code: str, field: str
) -> None:
    refused = await trader.register_product(product_id=uuid4(), criterion=criterion)
    assert (refused.code, refused.fields) == (code, (field,))
    assert "39.999" in refused.detail or "RVC" in refused.detail


async def test_all_problems_of_a_submission_are_refused_together_with_their_fields(
    service: ServiceUnderTest, trader: Trader
) -> None:
    wanted = with_item(trader, manufacturer=None, fob={"amount": "0", "currency": "USD"}) | transport(vessel="BY SEA X")
    state = await trader.draft(**wanted)

    refused: Refusal = await service.ask(SubmitCertificate(certificate_id=state.certificate_id), trader.person)

    assert (refused.code, refused.values["count"]) == ("several_problems", "3")
    assert refused.fields == ("consignment.transport.vessel", f"{ITEM}.manufacturer", f"{ITEM}.fob.amount")
    assert [(each.values["box"], each.code, each.fields[0]) for each in refused.each] == [
        ("3", "transport_with_mode", "consignment.transport.vessel"),
        ("7", "manufacturer_missing", f"{ITEM}.manufacturer"),
        ("9", "fob_not_positive", f"{ITEM}.fob.amount"),
    ]
    assert all(each.detail for each in refused.each)

    right = ReviseCertificate(certificate_id=state.certificate_id, consignment=trader.consignment())
    await service.ask(right, trader.person)
    submitted = await service.ask(SubmitCertificate(certificate_id=state.certificate_id), trader.person)
    assert submitted.status == "submitted"


async def test_a_single_problem_is_its_own_refusal_and_reads_the_same_way(service: ServiceUnderTest, trader: Trader) -> None:
    refused = await trader.submit(**with_item(trader, manufacturer=None))
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.problems) == ("manufacturer_missing", ())
    assert [each.code for each in refused.each] == ["manufacturer_missing"]


async def test_a_malformed_request_lists_each_of_its_fields(service: ServiceUnderTest, trader: Trader) -> None:
    body = {
        "certificate_id": str(uuid4()),
        "exporter_id": str(trader.exporter_id),
        "consignment": trader.consignment() | with_item(trader, packages=0, quantity="-5"),
    }
    raw = json.dumps(body, default=str).encode()
    refused = await service.ask_raw(DraftCertificate, raw, service.token_of(trader.person))

    assert refused.code == "malformed_request"
    assert {each.fields for each in refused.each} == {(f"{ITEM}.packages",), (f"{ITEM}.quantity",)}
    assert all(each.fields[0] in each.detail for each in refused.each)


async def test_a_form_that_is_not_complete_has_hints_for_what_is_filled_in(service: ServiceUnderTest, trader: Trader) -> None:
    (item,) = with_item(trader, manufacturer=None)["items"]
    question = CheckDraft(exporter_id=trader.exporter_id, consignment={"destination": "JP", "items": [None, item]})

    found = await service.ask(question, trader.person)

    assert [(each.box, each.item, each.level, each.code) for each in found.problems] == [
        (2, None, "draft", "destination_not_in_agreement"),
        (7, 2, "submit", "manufacturer_missing"),
    ]
    assert found.problems[1].fields == ("consignment.items.1.manufacturer",)
    assert found.count == 2


async def test_a_check_reads_no_company_but_the_own(service: ServiceUnderTest, trader: Trader) -> None:
    stranger = a_person("preparer", organisation=uuid4())
    question = CheckDraft(exporter_id=trader.exporter_id, consignment={})
    assert (await service.ask(question, stranger)).code == "not_yours"

    other = await Trader(service).begin()
    (item,) = with_item(trader)["items"]
    (problem,) = (
        await service.ask(CheckDraft(exporter_id=other.exporter_id, consignment={"items": [item]}), other.person)
    ).problems
    assert problem.code == "product_not_found"


async def test_a_circular_original_and_another_unit_are_hints_and_refusals(service: ServiceUnderTest, trader: Trader) -> None:
    line = {"number": 1, "hs_code": "610910", "description": "T-shirts", "quantity": "9000", "unit": "KGM"}
    entered = EnterOriginal(
        country="VN", reference="VN-77", issued_on="2026-03-02", valid_until="2027-03-02", consignee="Angkor", lines=[line]
    )
    await service.ask(entered, REVIEWER)
    original = {"country": "VN", "reference": "VN-77", "issued_on": "2026-03-02", "line": 1}
    wanted = with_item(trader, original=original)
    state = await trader.draft(**wanted)

    hints = await check(service, trader, wanted)
    refused = await service.ask(SubmitCertificate(certificate_id=state.certificate_id), trader.person)

    expected = [("original_circular", f"{ITEM}.original.reference"), ("original_unit_differs", f"{ITEM}.unit")]
    assert [(each.code, each.fields[0]) for each in hints.problems] == expected
    assert [(each.code, each.fields[0]) for each in refused.each] == expected


async def test_the_rules_of_all_boxes_can_be_read(service: ServiceUnderTest, trader: Trader) -> None:
    found = await service.ask(ListBoxChecks(), trader.person)
    assert len(found.checks) >= 35
    assert [each.box for each in found.checks] == sorted(each.box for each in found.checks)
    retroactive = next(each for each in found.checks if each.check == "departure_is_ahead")
    assert (retroactive.box, retroactive.level) == (13, "note")


NEW: Changes = {
    "third_country_invoice": {"name": "Broker Pte Ltd", "country": "HK"},
    "exhibition": {"name": "Food Expo", "address": "1 Expo Road, Hanoi"},
}


async def test_the_new_boxes_are_in_the_document_its_content_and_its_copy(service: ServiceUnderTest, trader: Trader) -> None:
    invoices = [{"number": "INV-2", "date": "2026-11-21"}, {"number": "INV-3", "date": "2026-11-22"}]
    wanted = with_item(trader, trade_mark="ANGKOR", more_invoices=invoices) | NEW | transport(route="via Bangkok")
    certificate_id = (await trader.submit(**wanted)).certificate_id
    await trader.settle(certificate_id)
    await trader.approve(certificate_id)
    await service.do_tasks()

    (documented,) = await service.announced(CertificateDocumented)
    form = documented.document
    (item,) = form.items
    assert item.description.splitlines()[1:] == ["Manufacturer: Angkor Garment Co., Ltd.", "Trade mark: ANGKOR"]
    assert (item.manufacturer, item.trade_mark) == ("Angkor Garment Co., Ltd.", "ANGKOR")
    assert [(each.number, each.date) for each in item.more_invoices] == [
        ("INV-2", date(2026, 11, 21)),
        ("INV-3", date(2026, 11, 22)),
    ]
    assert form.third_country_invoice is not None
    assert form.third_country_invoice.model_dump() == NEW["third_country_invoice"]
    assert form.exhibition is not None
    assert form.exhibition.model_dump() == NEW["exhibition"]
    assert form.route == "via Bangkok"

    question = GetCertificateContent(certificate_id=certificate_id)
    content: CertificateContent = await service.ask(question, trader.person)
    assert content.consignment.model_dump(mode="json")["exhibition"] == NEW["exhibition"]
    assert content.consignment.items[0].more_invoices[1].number == "INV-3"
    copy = await service.ask(CopyCertificate(certificate_id=certificate_id), trader.person)
    assert (copy.items[0].manufacturer, copy.items[0].trade_mark, copy.route) == (
        "Angkor Garment Co., Ltd.", "ANGKOR", "via Bangkok",
    )  # fmt: skip
    assert copy.exhibition == content.consignment.exhibition


async def test_a_product_that_was_refused_after_the_draft_cannot_be_submitted(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin(product="registered")
    second = RegisterProduct(**trader.a_product(product_id=uuid4()).model_dump(exclude={"command_id"}))
    await service.ask(second, trader.person)
    assert (await trader.draft()).code == "product_not_approved"
    await service.ask(ApproveProduct(product_id=second.product_id), REVIEWER)
    await service.ask(RefuseProduct(product_id=trader.product_id, reason="No."), REVIEWER)
    assert (await trader.draft()).values["box"] == "7"
