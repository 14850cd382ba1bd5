"""Two gateways, of two countries and with the same code, exchange documents in one process."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from opentelemetry.trace import SpanKind
from sqlalchemy import func, select

from services.gateway.store import inbound_documents
from services.gateway.wire.messages import Acknowledgement, Document, Kind
from shared.contracts.gateway.transmissions import StatusCode
from shared.database.tables import dead_letters
from shared.handling.actor import Actor, NotYours
from shared.observability.tracing import span
from shared.refusals import Unavailable

from .builders import EXPORTER, NOON, Gateway, TwoGateways, a_documented_certificate, a_form, an_answer, an_item


async def inbound(gateway: Gateway) -> int:
    async with gateway.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(inbound_documents)) or 0


async def test_a_document_reaches_the_customs_of_its_destination(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()

    announced = await gateways.kh.announced()
    assert [(event.code, event.country, event.version) for event in announced] == [
        (StatusCode.AS1, "KH", 1),
        (StatusCode.AS2, "VN", 2),
        (StatusCode.REC, "VN", 3),
    ]
    assert {event.certificate_id for event in announced} == {event.certificate_id}
    times = [event.occurred_at for event in announced]
    assert times == sorted(times)
    state = await gateways.kh.state(event.certificate_id)
    assert [step.code for step in state.steps] == ["AS1", "AS2", "REC"]
    assert (state.attempts, state.waits_because, state.version) == (0, None, 3)
    assert await gateways.vn.announced() == []


async def test_either_country_can_export(gateways: TwoGateways) -> None:
    form = a_form(reference="D2026-HN-000007", issuing_country="VN", office="HN", destination="KH")
    await gateways.vn.receive(a_documented_certificate(form))
    await gateways.run_until_idle()
    assert await gateways.vn.codes() == ["AS1", "AS2", "REC"]


async def test_customs_refuse_a_document_with_reasons(gateways: TwoGateways) -> None:
    event = a_documented_certificate(a_form(items=(an_item(), an_item(2, hs_code="24021000"))))
    await gateways.kh.receive(event)
    await gateways.run_until_idle()

    last = (await gateways.kh.announced())[-1]
    assert (last.code, last.country, last.reasons) == (StatusCode.NOT, "VN", ("restricted_goods",))
    assert "licence" not in last.model_dump_json()
    state = await gateways.kh.state(event.certificate_id)
    assert state.steps[-1].detail == "Cigars need an import licence."
    assert await gateways.kh.codes() == ["AS1", "AS2", "NOT"]


async def test_a_document_waits_for_a_partner_that_is_down_and_is_sent_when_it_is_back(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    gateways.kh.links["VN"].down = True
    await gateways.kh.receive(event)
    await gateways.kh.run_due_tasks()
    await gateways.kh.run_due_tasks()

    waiting = await gateways.kh.state(event.certificate_id)
    assert waiting.attempts == 2
    assert "the gateway of Viet Nam (VN) cannot be reached (ConnectError)" in (waiting.waits_because or "")
    assert await gateways.kh.codes() == ["AS1"]

    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


async def test_a_document_on_paper_only_is_not_sent(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate(a_form(destination="TH"), channel=None))
    await gateways.kh.run_due_tasks()

    assert await gateways.kh.codes() == []


async def test_a_document_waits_for_a_partner_that_is_not_configured(gateways: TwoGateways) -> None:
    event = a_documented_certificate(a_form(destination="TH"))
    await gateways.kh.receive(event)
    await gateways.kh.run_due_tasks()
    state = await gateways.kh.state(event.certificate_id)
    assert "no partner gateway is configured for Thailand (TH)" in (state.waits_because or "")


async def test_an_unavailable_partner_gets_no_message_for_a_while_and_then_one_as_a_probe(
    gateways: TwoGateways,
) -> None:
    exchange, line = gateways.kh.exchange, gateways.kh.links["VN"]
    exchange._retry_pause = 0.1
    line.answers = [an_answer(503)]

    async def send(serial: int) -> str:
        form = a_form(reference=f"D2026-PNH-{serial:06}")
        envelope = exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", form.reference, 1, datetime.now(UTC))
        try:
            await exchange.send(envelope, Document(form=form))
        except Unavailable as error:
            return str(error)
        return "received"

    reason = "the gateway of Viet Nam (VN) answered 503 Service Unavailable"
    assert [await send(1), await send(2)] == [reason, reason]
    assert len(line.sent) == 1
    await asyncio.sleep(0.11)
    assert sorted(await asyncio.gather(send(1), send(2), send(3))) == ["received", reason, reason]
    assert await asyncio.gather(send(2), send(3)) == ["received", "received"]


async def test_a_document_of_a_repeated_event_is_sent_once(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
    assert await inbound(gateways.vn) == 1


async def test_a_document_sent_again_after_a_lost_receipt_is_stored_once_with_its_first_arrival(
    gateways: TwoGateways,
) -> None:
    gateways.kh.links["VN"].lost_answers = 2
    await gateways.kh.receive(a_documented_certificate())
    for _ in range(3):
        await gateways.kh.run_due_tasks()

    assert await inbound(gateways.vn) == 1
    assert len(gateways.kh.links["VN"].sent) == 3
    async with gateways.vn.database.reading() as session:
        first = await session.scalar(select(inbound_documents.c.received_at))
    assert (await gateways.kh.announced())[-1].occurred_at == first


async def test_a_decision_may_arrive_before_the_receipt(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    gateways.kh.links["VN"].lost_answers = 1
    await gateways.kh.run_due_tasks()
    await gateways.vn.run_due_tasks()
    await gateways.vn.run_due_tasks()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
    assert (await gateways.kh.state(event.certificate_id)).attempts == 1

    await gateways.kh.run_due_tasks()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
    assert (await gateways.kh.state(event.certificate_id)).attempts == 0


async def test_a_receipt_that_arrives_after_the_decision_changes_nothing(gateways: TwoGateways) -> None:
    line = gateways.kh.links["VN"]
    line.may_answer.clear()
    await gateways.kh.receive(a_documented_certificate())
    sending = asyncio.create_task(gateways.kh.run_due_tasks())
    await asyncio.wait_for(line.delivered.wait(), 10)
    await gateways.vn.run_due_tasks()
    await gateways.vn.run_due_tasks()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]

    line.may_answer.set()
    await asyncio.wait_for(sending, 10)
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
    assert await gateways.kh.tasks_left() == []


async def test_another_document_under_the_same_number_is_rejected(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate())
    await gateways.kh.run_due_tasks()
    changed = Document(form=a_form(vessel="MV OTHER"))
    envelope = gateways.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, datetime.now(UTC))
    receipt = await gateways.kh.exchange.send(envelope, changed)
    assert [reason.code for reason in receipt.reasons] == ["document_differs"]
    assert await inbound(gateways.vn) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuing_country": "TH"}, "sender_is_not_issuer"),
        ({"destination": "TH"}, "wrong_destination"),
        ({"reference": "D2026-PNH-000999"}, "reference_mismatch"),
    ],
)
async def test_a_document_that_differs_from_its_envelope_is_rejected(
    gateways: TwoGateways, changes: dict[str, str], code: str
) -> None:
    envelope = gateways.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, datetime.now(UTC))
    receipt = await gateways.kh.exchange.send(envelope, Document(form=a_form(**changes)))
    assert [reason.code for reason in receipt.reasons] == [code]
    assert await inbound(gateways.vn) == 0


async def test_a_rejecting_receipt_is_a_rejection_with_its_reasons(gateways: TwoGateways) -> None:
    envelope = gateways.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, datetime.now(UTC))
    await gateways.kh.exchange.send(envelope, Document(form=a_form(vessel="MV OTHER")))
    await gateways.kh.receive(a_documented_certificate())
    await gateways.kh.run_due_tasks()
    last = (await gateways.kh.announced())[-1]
    assert (last.code, last.country, last.reasons) == (StatusCode.NOT, "VN", ("document_differs",))


async def test_a_decision_of_customs_is_returned_when_the_exporting_gateway_is_back(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate())
    await gateways.kh.run_due_tasks()
    gateways.vn.links["KH"].down = True
    for _ in range(3):
        await gateways.vn.run_due_tasks()
    assert await gateways.vn.tasks_left() == ["return_response"]
    gateways.vn.links["KH"].down = False
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


async def test_a_document_waits_while_customs_are_down(gateways: TwoGateways) -> None:
    service = gateways.vn.customs_link
    service.answers = [an_answer(503), an_answer(200, b"<html>"), an_answer(200, b'{"decision": "rejected"}')]
    await gateways.kh.receive(a_documented_certificate())
    await gateways.kh.run_due_tasks()
    for _ in range(3):
        await gateways.vn.run_due_tasks()
        assert await gateways.vn.tasks_left() == ["deliver_to_customs"]
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


async def test_only_the_destination_decides_on_a_document(gateways: TwoGateways) -> None:
    await gateways.kh.receive(a_documented_certificate(a_form(destination="TH")))
    envelope = gateways.vn.exchange.envelope(uuid4(), Kind.ACKNOWLEDGEMENT, "KH", "D2026-PNH-000123", 1, datetime.now(UTC))
    receipt = await gateways.vn.exchange.send(envelope, Acknowledgement(available_at=NOON, received_at=NOON))
    assert [reason.code for reason in receipt.reasons] == ["not_the_destination"]
    assert await gateways.kh.codes() == ["AS1"]


async def test_a_refused_decision_becomes_a_dead_letter(gateways: TwoGateways) -> None:
    envelope = gateways.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, datetime.now(UTC))
    await gateways.kh.exchange.send(envelope, Document(form=a_form()))
    await gateways.run_until_idle()
    async with gateways.vn.database.reading() as session:
        dead = (await session.execute(select(dead_letters.c.name, dead_letters.c.error))).all()
    assert [letter.name for letter in dead] == ["return_response"]
    assert "response_not_taken" in dead[0].error


async def test_a_person_of_another_company_may_not_read_a_transmission(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    stranger = Actor(user_id=uuid4(), organisation=str(uuid4()), roles=frozenset({"signatory"}))
    with pytest.raises(NotYours):
        await gateways.kh.state(event.certificate_id, stranger)
    officer = Actor(user_id=uuid4(), organisation="PNH", roles=frozenset({"reviewer"}))
    assert (await gateways.kh.state(event.certificate_id, officer)).reference == "D2026-PNH-000123"
    assert event.exporter_id == EXPORTER


async def test_a_message_carries_the_trace_to_the_partner(gateways: TwoGateways) -> None:
    line = gateways.kh.links["VN"]
    with span("test", under="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01", kind=SpanKind.INTERNAL):
        await gateways.kh.receive(a_documented_certificate())
    await gateways.kh.run_due_tasks()
    assert line.sent[0][1]["traceparent"].split("-")[1] == "ab" * 16
