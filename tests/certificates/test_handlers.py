"""Answers and events of certificates."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.certificates.handlers import router
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    CertificateIssued,
    CertificateState,
    CertificateStatus,
    CertificateSubmitted,
    DraftCertificate,
    GetCertificate,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from shared.contracts.certificates.products import ApproveProduct, RefuseProduct, RegisterProduct
from shared.contracts.fees import FeeSettled
from shared.contracts.messages import Refusal, Request
from shared.contracts.registry.registrations import RegistrationApproved
from shared.handling.actor import Actor
from tests.certificates.keys import certificate_tools
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test

REVIEWER, APPROVER = a_person("reviewer"), a_person("approver")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("certificates", router, tmp_path, *certificate_tools()) as service:
        yield service


class Trader:
    """An exporter with one approved product."""

    def __init__(self, service: ServiceUnderTest) -> None:
        self.service = service
        self.exporter_id, self.product_id = uuid4(), uuid4()
        self.person = a_person("preparer", "signatory", organisation=self.exporter_id)

    async def begin(self, *, valid_until: date = date(2027, 11, 23), product: str = "approved") -> "Trader":
        await self.service.receive(self.approval(valid_until))
        await self.register_product()
        if product == "approved":
            await self.service.ask(ApproveProduct(product_id=self.product_id), REVIEWER)
        return self

    def approval(self, valid_until: date, version: int = 2) -> RegistrationApproved:
        return RegistrationApproved(
            exporter_id=self.exporter_id,
            name="Angkor Garment Co., Ltd.",
            address="Phnom Penh",
            valid_from=date(2026, 1, 1),
            valid_until=valid_until,
            version=version,
            occurred_at=self.service.clock.now(),
        )

    def a_product(self, **changes: Any) -> RegisterProduct:
        defaults: dict[str, Any] = {
            "product_id": self.product_id,
            "exporter_id": self.exporter_id,
            "description": "T-shirts, knitted, of cotton",
            "hs_code": "610910",
            "criterion": {"kind": "RVC", "percentage": "45"},
        }
        return RegisterProduct(**defaults | changes)

    async def register_product(self, **changes: Any) -> Any:
        return await self.service.ask(self.a_product(**changes), self.person)

    def consignment(self, **changes: Any) -> dict[str, Any]:
        item = {
            "product_id": self.product_id,
            "hs_code": "61091010",
            "marks": "SAT / 1-100",
            "packages": 100,
            "package_kind": "cartons",
            "quantity": "5000",
            "unit": "PCS",
            "gross_weight_kg": "1250.5",
            "fob": {"amount": "18750.00", "currency": "USD"},
            "invoice_number": "INV-1",
            "invoice_date": "2026-11-20",
            "manufacturer": "Angkor Garment Co., Ltd.",
        }
        return {
            "office": "PNH",
            "destination": "VN",
            "consignee": {"name": "Saigon Apparel", "address": "Ho Chi Minh City"},
            "transport": {"departure_date": "2026-11-25", "vessel": "MEKONG STAR", "port_of_discharge": "CAT LAI"},
            "items": [item],
        } | changes

    def a_draft(self, **changes: Any) -> DraftCertificate:
        consignment = self.consignment(**changes)
        return DraftCertificate(certificate_id=uuid4(), exporter_id=self.exporter_id, consignment=consignment)

    async def draft(self, **changes: Any) -> Any:
        return await self.service.ask(self.a_draft(**changes), self.person)

    async def submit(self, **changes: Any) -> CertificateState:
        draft = await self.draft(**changes)
        return await self.service.ask(SubmitCertificate(certificate_id=draft.certificate_id), self.person)

    async def approve(self, certificate_id: UUID) -> CertificateState:
        await self.service.ask(ReviewCertificate(certificate_id=certificate_id, worksheet="In order."), REVIEWER)
        return await self.service.ask(ApproveCertificate(certificate_id=certificate_id), APPROVER)

    async def settle(self, certificate_id: UUID, submission: int = 1) -> None:
        now = self.service.clock.now()
        settled = FeeSettled(certificate_id=certificate_id, submission=submission, version=1, occurred_at=now)
        await self.service.receive(settled)

    async def state(self, certificate_id: UUID) -> CertificateState:
        return await self.service.ask(GetCertificate(certificate_id=certificate_id), self.person)


async def test_a_submission_names_the_goods_for_fees_and_nothing_else(service: ServiceUnderTest) -> None:
    state = await (await Trader(service).begin()).submit()

    (event,) = await service.announced(CertificateSubmitted)
    assert state.status is CertificateStatus.SUBMITTED
    assert (event.certificate_id, event.submission, event.submitted_on) == (state.certificate_id, 1, date(2026, 11, 23))
    assert set(event.goods[0].model_dump()) == {"hs_code", "handicraft", "quantity", "unit"}


@pytest.mark.parametrize("paid_first", [True, False])
async def test_a_certificate_is_issued_once_approved_and_settled_in_either_order(
    service: ServiceUnderTest, paid_first: bool
) -> None:
    trader = await Trader(service).begin()
    certificate_id = (await trader.submit()).certificate_id
    if paid_first:
        await trader.settle(certificate_id)
        await trader.approve(certificate_id)
    else:
        await trader.approve(certificate_id)
        await trader.settle(certificate_id)
    await service.do_tasks()

    state = await trader.state(certificate_id)
    (issued,) = await service.announced(CertificateIssued)
    (documented,) = await service.announced(CertificateDocumented)
    assert (state.status, state.reference) == (CertificateStatus.ISSUED, "D2026-PNH-000001")
    assert issued.reference == documented.document.reference == state.reference
    assert documented.document.items[0].criterion == "45%"


async def test_the_public_event_names_no_person_and_no_goods(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()
    certificate_id = (await trader.submit()).certificate_id
    await trader.settle(certificate_id)
    await trader.approve(certificate_id)
    await service.do_tasks()

    (issued,) = await service.announced(CertificateIssued)
    assert not {"Angkor", "T-shirts", "18750", "Saigon"} & set(issued.model_dump_json().split('"'))
    assert set(type(issued).model_fields) == {
        "version", "occurred_at", "certificate_id", "reference", "form", "destination", "issued_on", "valid_until"
    }  # fmt: skip


async def test_fob_is_sent_only_where_it_is_disclosed(service: ServiceUnderTest) -> None:
    trader = Trader(service)
    await service.receive(trader.approval(date(2027, 11, 23)))
    await trader.register_product(criterion={"kind": "SP"}, hs_code="620520")
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)
    certificate_id = (await trader.submit(destination="SG")).certificate_id
    await trader.settle(certificate_id)
    await trader.approve(certificate_id)
    await service.do_tasks()

    (documented,) = await service.announced(CertificateDocumented)
    assert documented.document.items[0].fob is None
    assert "18750" not in documented.model_dump_json()


async def test_numbers_are_gap_free_per_office_and_year(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()
    references = []
    for office, instant in (
        ("PNH", datetime(2026, 12, 31, 16, 30, tzinfo=UTC)),
        ("SVR", datetime(2026, 12, 31, 16, 31, tzinfo=UTC)),
        ("PNH", datetime(2026, 12, 31, 16, 59, tzinfo=UTC)),
        ("PNH", datetime(2026, 12, 31, 17, 30, tzinfo=UTC)),
    ):
        service.clock.instant = instant
        certificate_id = (await trader.submit(office=office)).certificate_id
        await trader.settle(certificate_id)
        await trader.approve(certificate_id)
        await service.do_tasks()
        references.append((await trader.state(certificate_id)).reference)

    assert references == ["D2026-PNH-000001", "D2026-SVR-000001", "D2026-PNH-000002", "D2027-PNH-000001"]


async def test_a_payment_for_an_earlier_submission_does_not_settle_a_later_one(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()
    certificate_id = (await trader.submit()).certificate_id
    await trader.settle(certificate_id)
    await service.ask(ReturnCertificate(certificate_id=certificate_id, remarks="Box 6."), REVIEWER)
    await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    await trader.approve(certificate_id)
    await service.do_tasks()
    assert (await trader.state(certificate_id)).waits_for == ("payment",)

    await trader.settle(certificate_id, submission=2)
    await service.do_tasks()
    assert (await trader.state(certificate_id)).status is CertificateStatus.ISSUED


async def test_a_certificate_whose_exporter_lapsed_is_held_and_issued_after_renewal(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin(valid_until=date(2026, 11, 23))
    certificate_id = (await trader.submit()).certificate_id
    await trader.approve(certificate_id)
    service.clock.instant += timedelta(days=1)
    await trader.settle(certificate_id)
    await service.do_tasks()
    held = await trader.state(certificate_id)
    assert (held.status, held.waits_for) == (CertificateStatus.APPROVED, ("exporter_registration_expired",))

    await service.receive(trader.approval(date(2027, 11, 23), version=3))
    await service.do_tasks()
    assert (await trader.state(certificate_id)).status is CertificateStatus.ISSUED


async def test_an_older_event_of_an_exporter_does_not_overwrite_a_newer_one(service: ServiceUnderTest) -> None:
    trader = Trader(service)
    await service.receive(trader.approval(date(2027, 11, 23), version=3))
    await service.receive(trader.approval(date(2026, 1, 2), version=2))
    await trader.register_product()
    await service.ask(ApproveProduct(product_id=trader.product_id), REVIEWER)

    assert (await trader.submit()).status is CertificateStatus.SUBMITTED


async def test_a_settlement_that_arrives_before_its_certificate_is_kept(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()
    certificate_id = uuid4()
    await trader.settle(certificate_id)
    await service.ask(
        DraftCertificate(certificate_id=certificate_id, exporter_id=trader.exporter_id, consignment=trader.consignment()),
        trader.person,
    )
    await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    await trader.approve(certificate_id)
    await service.do_tasks()

    assert (await trader.state(certificate_id)).status is CertificateStatus.ISSUED


STRANGER = a_person("preparer", "signatory", organisation=uuid4())
OTHER_OFFICER = a_person("reviewer", "approver", organisation="SVR")


@pytest.mark.parametrize(
    ("command", "person", "code"),
    [
        (lambda c: SubmitCertificate(certificate_id=c), STRANGER, "not_yours"),
        (lambda c: SubmitCertificate(certificate_id=c), REVIEWER, "role_required"),
        (lambda c: SubmitCertificate(certificate_id=c), None, "not_signed_in"),
        (lambda c: SubmitCertificate(certificate_id=uuid4()), STRANGER, "certificate_not_found"),
        (lambda c: GetCertificate(certificate_id=c), STRANGER, "not_yours"),
        (lambda c: ReviewCertificate(certificate_id=c, worksheet="x"), STRANGER, "role_required"),
        (lambda c: ReviewCertificate(certificate_id=c, worksheet="x"), OTHER_OFFICER, "other_office"),
        (lambda c: ApproveCertificate(certificate_id=c), APPROVER, "certificate_not_allowed_now"),
        (lambda c: ApproveCertificate(certificate_id=c), REVIEWER, "role_required"),
        (lambda c: RejectCertificate(certificate_id=c, reason="x"), OTHER_OFFICER, "other_office"),
        (lambda c: ReturnCertificate(certificate_id=c, remarks="x"), STRANGER, "role_required"),
    ],
)
async def test_a_request_without_the_right_is_refused_and_changes_nothing(
    service: ServiceUnderTest, command: Any, person: Actor | None, code: str
) -> None:
    trader = await Trader(service).begin()
    before = await trader.submit()
    announced = await service.announced()

    refused = await service.ask(command(before.certificate_id), person)

    assert (type(refused), refused.code) == (Refusal, code)
    assert refused.detail
    assert await trader.state(before.certificate_id) == before
    assert await service.announced() == announced


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"destination": "JP"}, "destination_not_in_agreement", "consignment.destination"),
        ({"destination": "KH"}, "destination_not_in_agreement", "consignment.destination"),
        ({"office": "XXX"}, "office_unknown", "consignment.office"),
    ],
)
async def test_a_consignment_that_the_form_does_not_serve_is_refused(
    service: ServiceUnderTest, changes: dict[str, Any], code: str, field: str
) -> None:
    refused = await (await Trader(service).begin()).draft(**changes)

    assert (refused.code, refused.fields) == (code, (field,))


async def test_a_product_must_be_approved_and_the_exporters_own(service: ServiceUnderTest) -> None:
    trader, other = await Trader(service).begin(product="registered"), await Trader(service).begin()
    assert (await trader.draft()).code == "product_not_approved"

    trader.product_id = other.product_id
    refused = await trader.draft()
    assert (refused.code, refused.fields) == ("product_not_found", ("consignment.items.0.product_id",))


async def test_a_product_is_decided_once(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()
    refused = await service.ask(RefuseProduct(product_id=trader.product_id, reason="No."), REVIEWER)
    assert refused.code == "product_already_decided"


MALFORMED: list[tuple[type[Request], dict[str, Any], str]] = [
    (SubmitCertificate, {"certificate_id": "no-uuid"}, "certificate_id"),
    (SubmitCertificate, {"certificate_id": str(uuid4()), "extra": 1}, "extra"),
    (SubmitCertificate, {}, "certificate_id"),
    (ReturnCertificate, {"certificate_id": str(uuid4()), "remarks": ""}, "remarks"),
    (ReturnCertificate, {"certificate_id": str(uuid4()), "remarks": "x" * 2001}, "remarks"),
    (ReturnCertificate, {"certificate_id": str(uuid4()), "remarks": "null\x00byte"}, "remarks"),
]


@pytest.mark.parametrize(("kind", "body", "field"), MALFORMED)
async def test_a_malformed_command_is_refused_with_its_field(
    service: ServiceUnderTest, kind: type[Request], body: dict[str, Any], field: str
) -> None:
    refused = await service.ask_raw(kind, json.dumps(body).encode(), service.token_of(REVIEWER))
    assert (refused.code, refused.fields) == ("malformed_request", (field,))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "1e400"}, "quantity"),
        ({"hs_code": "6109"}, "hs_code"),
        ({"fob": {"amount": "1", "currency": "USD", "tip": 1}}, "fob.tip"),
        ({"packages": 0}, "packages"),
        ({"invoice_date": "2026-13-01"}, "invoice_date"),
    ],
)
async def test_an_impossible_item_is_refused_with_its_field(
    service: ServiceUnderTest, change: dict[str, Any], field: str
) -> None:
    trader = await Trader(service).begin()
    consignment = trader.consignment()
    consignment["items"] = [consignment["items"][0] | change]
    body = {"certificate_id": uuid4(), "exporter_id": trader.exporter_id, "consignment": consignment}

    refused = await service.ask_raw(DraftCertificate, json.dumps(body, default=str).encode(), service.token_of(trader.person))

    assert refused.code == "malformed_request"
    assert f"consignment.items.0.{field}" in refused.fields


async def test_a_consignment_whose_document_does_not_fit_into_a_message_is_refused(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin()
    consignment = trader.consignment()
    (item, *_) = consignment["items"]

    async def drafted(count: int, marks: str) -> Any:
        goods = consignment | {"items": [item | {"marks": marks}] * count}
        command = DraftCertificate(certificate_id=uuid4(), exporter_id=trader.exporter_id, consignment=goods)
        return await service.ask(command, trader.person)

    assert (await drafted(1000, "ABC")).status == "draft"
    refused = await drafted(1000, "\u00c9" * 190)
    assert (refused.code, refused.fields) == ("consignment_too_large", ("consignment.items",))


async def test_a_request_over_the_limit_is_refused(service: ServiceUnderTest) -> None:
    refused = await service.ask_raw(ReviseCertificate, b"[" + b"1," * 500_000 + b"1]", None)
    assert refused.code == "request_too_large"


async def test_an_expired_token_is_refused(service: ServiceUnderTest) -> None:
    token = service.token_of(REVIEWER, lasts=timedelta(minutes=-5))
    refused = await service.ask_raw(GetCertificate, GetCertificate(certificate_id=uuid4()).model_dump_json().encode(), token)
    assert refused.code == "token_expired"
