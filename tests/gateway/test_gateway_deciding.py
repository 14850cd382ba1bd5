"""Decisions of customs on the preference: utilised, in part or denied, and the answer to the issuing country."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import delete, select, update

from services.gateway.denials import DenialReasons
from services.gateway.handlers import router
from services.gateway.handlers.messages import SendMessage
from services.gateway.kinds import DocumentKinds
from services.gateway.store import inbound_documents, outgoing, transmissions
from services.gateway.wire.messages import CustomsResponse, ItemDecision, Kind, Reason
from shared.contracts.gateway.received import (
    DecideReceivedDocument,
    GetReceivedDocument,
    ListDenialReasons,
    ListReceivedDocuments,
    RequestRetransmission,
)
from shared.contracts.gateway.transmissions import StatusCode
from shared.contracts.messages import Refusal
from shared.database.tables import dead_letters
from tests.support.service_under_test import ServiceUnderTest, a_person, a_service_under_test

from .builders import TwoGateways, a_documented_certificate, a_form, an_item
from .test_gateway_lists import a_received_document

OFFICER = a_person("customs_officer", organisation="GDCE")
FORM = a_form(
    reference="D2026-HN-000007", issuing_country="VN", destination="KH", items=tuple(an_item(each) for each in (1, 2, 3))
)
THIS = {"origin": "VN", "reference": FORM.reference}


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[ServiceUnderTest]:
    async with a_service_under_test("gateway", router, tmp_path, DenialReasons.load(), DocumentKinds.load()) as service:
        await a_received_document(service, 7, form=FORM, decided_at=datetime(2026, 3, 2, 6, tzinfo=UTC))
        yield service


def a_decision(**changes: Any) -> DecideReceivedDocument:
    return DecideReceivedDocument(**THIS | changes)


async def code_of(gateway: ServiceUnderTest) -> str:
    return str((await gateway.ask(GetReceivedDocument(**THIS), OFFICER)).code)


@pytest.mark.parametrize(
    ("fields", "code", "denied"),
    [
        ({}, "UTL", ()),
        ({"declaration": "IM4-2026-000123"}, "UTL", ()),
        ({"reason": "goods_mismatch", "denied": (3, 2, 2)}, "UTP", (2, 3)),
        ({"reason": "goods_mismatch"}, "DEN", ()),
        ({"reason": "goods_mismatch", "denied": (1, 2, 3)}, "DEN", ()),
    ],
)
async def test_customs_decide_on_the_preference(
    gateway: ServiceUnderTest, fields: dict[str, Any], code: str, denied: tuple[int, ...]
) -> None:
    answer = await gateway.ask(a_decision(**fields), OFFICER)

    assert (answer.code, answer.decisions) == (code, 1)
    content = await gateway.ask(GetReceivedDocument(**THIS), OFFICER)
    assert content.code == code
    assert content.decisions[0].denied == denied
    assert content.decisions[0].sent_at is None
    listed = await gateway.ask(ListReceivedDocuments(), OFFICER)
    assert [each.code for each in listed.documents] == [code]


async def test_the_message_has_the_decision_on_each_item(gateway: ServiceUnderTest) -> None:
    await gateway.ask(a_decision(reason="goods_mismatch", denied=(2,), remarks="Only 900 pieces arrived."), OFFICER)

    async with gateway.work() as work:
        (row,) = (await work.session.execute(select(outgoing))).all()
    message = CustomsResponse.model_validate_json(row.content)
    assert (row.kind, row.receiver, row.reference, row.number) == (Kind.CUSTOMS_RESPONSE, "VN", FORM.reference, 1)
    assert [(each.item, each.code) for each in message.items] == [(1, "UTL"), (2, "DEN"), (3, "UTL")]
    assert message.items[1].reasons == (Reason(code="goods_mismatch", detail="Only 900 pieces arrived."),)


async def test_a_denied_document_can_be_assessed_again_once(gateway: ServiceUnderTest) -> None:
    await gateway.ask(a_decision(reason="not_directly_consigned"), OFFICER)
    assert (await gateway.ask(a_decision(decisions=1), OFFICER)).code == "UTL"

    refusal = await gateway.ask(a_decision(reason="goods_mismatch", decisions=2), OFFICER)

    assert isinstance(refusal, Refusal)
    assert refusal.code == "step_not_allowed"
    assert await code_of(gateway) == "UTL"


async def test_a_decision_does_not_return_to_a_former_one(gateway: ServiceUnderTest) -> None:
    await gateway.ask(a_decision(reason="goods_mismatch", denied=(1,)), OFFICER)
    await gateway.ask(a_decision(reason="goods_mismatch", decisions=1), OFFICER)
    refusal = await gateway.ask(a_decision(reason="goods_mismatch", denied=(1,), decisions=2), OFFICER)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "step_not_allowed"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"denied": (4,), "reason": "goods_mismatch"}, "document_item_unknown", "denied.0"),
        ({"reason": "i_do_not_like_it"}, "denial_reason_unknown", "reason"),
        ({"decisions": 1}, "document_decided_meanwhile", "decisions"),
        ({"reference": "D2026-HN-000008"}, "document_not_received", "reference"),
    ],
)
async def test_an_impossible_decision_is_refused(
    gateway: ServiceUnderTest, fields: dict[str, Any], code: str, field: str
) -> None:
    refusal = await gateway.ask(a_decision(**fields), OFFICER)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.fields) == (code, (field,))
    assert await code_of(gateway) == "REC"


@pytest.mark.parametrize("values", [{"decided_at": None}, {"reasons": [{"code": "restricted_goods", "detail": "No."}]}])
async def test_only_a_document_in_the_customs_system_is_decided(gateway: ServiceUnderTest, values: dict[str, Any]) -> None:
    async with gateway.work() as work:
        await work.session.execute(update(inbound_documents).values(values))
    refusal = await gateway.ask(a_decision(), OFFICER)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "document_not_at_customs"


async def test_a_viewer_decides_nothing(gateway: ServiceUnderTest) -> None:
    refusal = await gateway.ask(a_decision(), a_person("customs_viewer", organisation="GDCE"))
    assert isinstance(refusal, Refusal)


async def test_the_reasons_of_a_denial_have_both_languages(gateway: ServiceUnderTest) -> None:
    known = await gateway.ask(ListDenialReasons(), OFFICER)
    assert {"origin_criterion_not_met", "not_directly_consigned"} <= {each.code for each in known.reasons}
    assert all(each.text["en"] and each.text["km"] for each in known.reasons)
    assert DenialReasons.load().on(date(2019, 1, 1)) == {}


@pytest.fixture
async def received(gateways: TwoGateways) -> Any:
    """A certificate of KH in the customs system of VN."""
    event = a_documented_certificate(a_form(items=(an_item(1), an_item(2))))
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
    return event


async def decide(gateways: TwoGateways, event: Any, **fields: Any) -> None:
    """The customs of VN decide."""
    command = DecideReceivedDocument(origin="KH", reference=event.document.reference, **fields)
    async with gateways.vn.context.work(INVALID_SPAN) as work:
        work.act_as(OFFICER)
        await router.requests[DecideReceivedDocument](command, work)


async def test_the_issuing_country_receives_the_decision(gateways: TwoGateways, received: Any) -> None:
    await decide(gateways, received, reason="quantity_exceeded", denied=(2,))
    await gateways.run_until_idle()
    await decide(gateways, received, decisions=1)
    await gateways.run_until_idle()

    state = await gateways.kh.state(received.certificate_id)
    assert [step.code for step in state.steps] == ["AS1", "AS2", "REC", "UTP", "UTL"]
    assert state.steps[3].reasons == ("quantity_exceeded",)
    assert state.steps[3].detail == "The quantity exceeds that of the certificate.; items 2"
    assert (await gateways.kh.announced())[3].country == "VN"


async def test_a_decision_waits_for_a_partner_that_is_away(gateways: TwoGateways, received: Any) -> None:
    gateways.vn.links["KH"].down = True
    await decide(gateways, received)
    await gateways.vn.run_due_tasks()
    assert await gateways.vn.tasks_left() == [SendMessage.kind]

    gateways.vn.links["KH"].down = False
    await gateways.run_until_idle()

    assert await gateways.kh.codes() == ["AS1", "AS2", "REC", "UTL"]


async def test_a_decision_whose_receipt_was_lost_counts_once(gateways: TwoGateways, received: Any) -> None:
    gateways.vn.links["KH"].lost_answers = 1
    await decide(gateways, received)
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC", "UTL"]


async def test_a_decision_before_the_acknowledgement_records_the_steps_between(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.kh.run_due_tasks()
    at = datetime.now(UTC)
    response = CustomsResponse(code=StatusCode.UTL, decided_at=at)
    exchange = gateways.vn.exchange
    envelope = exchange.envelope(event.certificate_id, Kind.CUSTOMS_RESPONSE, "KH", event.document.reference, 1, at)

    assert (await exchange.send(envelope, response)).reasons == ()
    await gateways.run_until_idle()

    assert await gateways.kh.codes() == ["AS1", "AS2", "REC", "UTL"]


async def test_a_refused_decision_is_for_an_operator_to_check(gateways: TwoGateways, received: Any) -> None:
    async with gateways.kh.context.work(INVALID_SPAN) as work:
        await work.session.execute(update(transmissions).values(destination="TH"))
    await decide(gateways, received)
    await gateways.run_until_idle()

    async with gateways.vn.database.reading() as session:
        (letter,) = (await session.execute(select(dead_letters))).all()
        (message,) = (await session.execute(select(outgoing))).all()
    assert "The partner did not take the CustomsResponse" in letter.error
    assert [reason["code"] for reason in message.reasons] == ["not_the_destination"]


def test_a_response_is_one_of_three() -> None:
    reason = (Reason(code="goods_mismatch", detail="No."),)
    items = (ItemDecision(item=1, code="UTL"), ItemDecision(item=2, code="DEN", reasons=reason))
    assert CustomsResponse(code="UTP", decided_at=datetime.now(UTC), items=items).code == "UTP"


async def test_a_document_that_was_lost_is_sent_once_more(gateways: TwoGateways, received: Any) -> None:
    async with gateways.vn.context.work(INVALID_SPAN) as work:
        await work.session.execute(delete(inbound_documents))
        work.act_as(OFFICER)
        command = RequestRetransmission(origin="KH", reference=received.document.reference)
        await router.requests[RequestRetransmission](command, work)
    await gateways.run_until_idle()

    async with gateways.vn.database.reading() as session:
        (document,) = (await session.execute(select(inbound_documents))).all()
    assert document.decided_at is not None
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


async def test_a_document_that_is_known_is_not_stored_again(gateways: TwoGateways, received: Any) -> None:
    async with gateways.vn.context.work(INVALID_SPAN) as work:
        work.act_as(OFFICER)
        command = RequestRetransmission(origin="KH", reference=received.document.reference)
        await router.requests[RequestRetransmission](command, work)
    await gateways.run_until_idle()
    async with gateways.vn.database.reading() as session:
        assert len((await session.execute(select(inbound_documents))).all()) == 1
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
