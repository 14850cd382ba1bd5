"""Received documents are announced as originals: when customs accept them, and whenever their state changes there."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, update

from services.gateway.denials import DenialReasons
from services.gateway.handlers import router
from services.gateway.kinds import DocumentKinds
from services.gateway.store import inbound_documents, originals
from shared.contracts.certificates.documents import Original
from shared.contracts.gateway.originals import ReceivedDocumentChanged
from shared.contracts.gateway.received import DecideReceivedDocument
from shared.handling.work import MAX_EVENT
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test

from .builders import TwoGateways, a_documented_certificate, a_form, an_item
from .test_gateway_cancelling import cancelled
from .test_gateway_cancelling import receive as receive_cancellation
from .test_gateway_lists import a_received_document

OFFICER = a_person("customs_officer", organisation="GDCE")
AT = datetime(2026, 3, 2, 6, tzinfo=UTC)
FORM = a_form(
    reference="D2026-HN-000007",
    issuing_country="VN",
    destination="KH",
    items=tuple(an_item(each) for each in (1, 2, 3)),
    originals=(Original(reference="D2026-SG-1", country="SG", issued_on=date(2026, 1, 5)),),
)
THIS = {"origin": "VN", "reference": FORM.reference}


@pytest.fixture
async def gateway(tmp_path: Path):  # type: ignore[no-untyped-def]
    async with a_service_under_test("gateway", router, tmp_path, DenialReasons.load(), DocumentKinds.load()) as service:
        yield service


async def announce_again(gateway: ServiceUnderTest) -> list[ReceivedDocumentChanged]:
    """What the gateway announces of all its received documents."""
    keys, announce = router.reannouncing["received-document"]
    async with gateway.work() as work:
        for key in (await work.session.scalars(keys)).all():
            await announce(key, work)
    return await gateway.announced(ReceivedDocumentChanged)


async def test_a_document_that_customs_accept_is_announced_with_what_certificates_needs(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate())
    await gateways.run_until_idle()

    (event,) = await gateways.vn.announced_of(ReceivedDocumentChanged)
    assert event.model_dump(include={"country", "reference", "issued_on", "valid_until", "consignee", "usable", "version"}) == {
        "country": "KH",
        "reference": "D2026-PNH-000123",
        "issued_on": date(2026, 3, 2),
        "valid_until": date(2027, 3, 2),
        "consignee": "Sai Gon Trading JSC",
        "usable": True,
        "version": 1000,
    }
    (item,) = event.items
    assert (item.number, item.hs_code, item.quantity, item.unit) == (1, "61091010", Decimal(2400), "PCS")
    assert not {"9600", "AG-2026-17", "Street 271"} & set(event.model_dump_json().split('"')), "no value, no exporter"


async def test_a_denial_makes_a_document_unusable_until_it_is_assessed_again(gateway: ServiceUnderTest) -> None:
    await a_received_document(gateway, 7, form=FORM, decided_at=AT)
    await gateway.ask(DecideReceivedDocument(**THIS, reason="goods_mismatch"), OFFICER)
    await gateway.ask(DecideReceivedDocument(**THIS, decisions=1), OFFICER)

    denied, assessed = await gateway.announced(ReceivedDocumentChanged)
    assert [(each.usable, each.version) for each in (denied, assessed)] == [(False, 1001), (True, 1002)]
    assert [(each.reference, each.country) for each in assessed.based_on] == [("D2026-SG-1", "SG")]


async def test_only_the_denied_items_of_a_document_cannot_be_used(gateway: ServiceUnderTest) -> None:
    await a_received_document(gateway, 7, form=FORM, decided_at=AT)
    await gateway.ask(DecideReceivedDocument(**THIS, reason="goods_mismatch", denied=(2,)), OFFICER)

    (event,) = await gateway.announced(ReceivedDocumentChanged)
    assert event.usable
    assert [each.denied for each in event.items] == [False, True, False]


async def test_what_customs_have_not_accepted_is_no_original(gateway: ServiceUnderTest) -> None:
    reasons = [{"code": "restricted_goods", "detail": "no"}]
    await a_received_document(gateway, 1)
    await a_received_document(gateway, 2, decided_at=AT, reasons=reasons)
    await a_received_document(gateway, 3, decided_at=AT)

    (event,) = await announce_again(gateway)
    assert event.reference == "D2026-HN-000003"
    async with gateway.work() as work:
        assert list(await work.session.scalars(originals)) == ["VN/D2026-HN-000003"]
        await work.session.execute(update(inbound_documents).values(number=2))
    assert (await announce_again(gateway))[-1].version == 2000


async def test_a_document_of_two_thousand_items_with_long_texts_fits_into_one_event(gateway: ServiceUnderTest) -> None:
    values = {"description": 'ខ្មែរ"' * 300, "quantity": Decimal("123456789012.123456")}
    items = tuple(an_item(each, **values) for each in range(1, 2001))
    await a_received_document(gateway, 7, form=FORM.model_copy(update={"items": items}), decided_at=AT)

    (event,) = await announce_again(gateway)
    assert len(event.items) == 2000
    assert len(event.model_dump_json().encode()) < MAX_EVENT
    async with gateway.work() as work:
        assert (await work.session.execute(select(inbound_documents.c.reference))).scalar_one() == FORM.reference


async def test_a_cancelled_document_is_no_original_any_more(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    await receive_cancellation(gateways.kh, cancelled(event))
    await gateways.run_until_idle()

    states = await gateways.vn.announced_of(ReceivedDocumentChanged)
    assert [(each.usable, each.version) for each in states] == [(True, 1000), (False, 1500)]
