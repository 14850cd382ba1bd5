"""Two gateways, of two countries and with the same code, exchange documents in one process."""

import asyncio
from uuid import uuid4

import pytest
from opentelemetry.trace import SpanKind
from sqlalchemy import func, select

from services.gateway.store import inbound_documents
from services.gateway.wire.messages import Document, Kind, Response
from shared.contracts.gateway import StatusCode
from shared.database.tables import dead_letters
from shared.handling.actor import Actor, NotYours
from shared.observability.tracing import span
from shared.refusals import Unavailable

from .builders import EXPORTER, NOON, Gateway, Neighbours, a_documented_certificate, a_form, an_answer, an_item


async def inbound(gateway: Gateway) -> int:
    async with gateway.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(inbound_documents)) or 0


async def test_a_document_reaches_the_customs_of_its_destination(neighbours: Neighbours) -> None:
    event = a_documented_certificate()
    await neighbours.kh.hears(event)
    await neighbours.exchange_until_quiet()

    announced = await neighbours.kh.announced()
    assert [(told.code, told.country, told.version) for told in announced] == [
        (StatusCode.AS1, "KH", 1),
        (StatusCode.AS2, "VN", 2),
        (StatusCode.REC, "VN", 3),
    ]
    assert {told.certificate_id for told in announced} == {event.certificate_id}
    times = [told.occurred_at for told in announced]
    assert times == sorted(times)
    state = await neighbours.kh.answers(event.certificate_id)
    assert [step.code for step in state.steps] == ["AS1", "AS2", "REC"]
    assert (state.attempts, state.waits_because, state.version) == (0, None, 3)
    assert await neighbours.vn.announced() == []


async def test_either_country_may_be_the_exporting_one(neighbours: Neighbours) -> None:
    form = a_form(reference="D2026-HN-000007", issuing_country="VN", office="HN", destination="KH")
    await neighbours.vn.hears(a_documented_certificate(form))
    await neighbours.exchange_until_quiet()
    assert await neighbours.vn.codes() == ["AS1", "AS2", "REC"]


async def test_customs_refuse_a_document_with_reasons(neighbours: Neighbours) -> None:
    event = a_documented_certificate(a_form(items=(an_item(), an_item(2, hs_code="24021000"))))
    await neighbours.kh.hears(event)
    await neighbours.exchange_until_quiet()

    last = (await neighbours.kh.announced())[-1]
    assert (last.code, last.country, last.reasons) == (StatusCode.NOT, "VN", ("restricted_goods",))
    assert "licence" not in last.model_dump_json()
    state = await neighbours.kh.answers(event.certificate_id)
    assert state.steps[-1].detail == "Cigars need an import licence."
    assert await neighbours.kh.codes() == ["AS1", "AS2", "NOT"]


async def test_a_document_waits_for_a_partner_that_is_down_and_goes_on_when_it_is_back(neighbours: Neighbours) -> None:
    event = a_documented_certificate()
    neighbours.kh.lines["VN"].cut = True
    await neighbours.kh.hears(event)
    await neighbours.kh.does_what_is_due()
    await neighbours.kh.does_what_is_due()

    waiting = await neighbours.kh.answers(event.certificate_id)
    assert waiting.attempts == 2
    assert "the gateway of Viet Nam (VN) cannot be reached (ConnectError)" in (waiting.waits_because or "")
    assert await neighbours.kh.codes() == ["AS1"]

    neighbours.kh.lines["VN"].cut = False
    await neighbours.exchange_until_quiet()
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]


async def test_a_document_waits_for_a_partner_that_is_not_configured(neighbours: Neighbours) -> None:
    event = a_documented_certificate(a_form(destination="TH"))
    await neighbours.kh.hears(event)
    await neighbours.kh.does_what_is_due()
    state = await neighbours.kh.answers(event.certificate_id)
    assert "no partner gateway is configured for Thailand (TH)" in (state.waits_because or "")


async def test_a_partner_that_is_away_is_left_alone_for_a_while_and_then_one_message_tries_for_all(
    neighbours: Neighbours,
) -> None:
    exchange, line = neighbours.kh.exchange, neighbours.kh.lines["VN"]
    exchange._rest = 0.1
    line.answers = [an_answer(503)]

    async def send(serial: int) -> str:
        form = a_form(reference=f"D2026-PNH-{serial:06}")
        envelope = exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", form.reference, 1, NOON)
        try:
            await exchange.send(envelope, Document(form=form))
        except Unavailable as error:
            return str(error)
        return "received"

    reason = "the gateway of Viet Nam (VN) answered 503 Service Unavailable"
    assert [await send(1), await send(2)] == [reason, reason]
    assert len(line.carried) == 1
    await asyncio.sleep(0.11)
    assert sorted(await asyncio.gather(send(1), send(2), send(3))) == ["received", reason, reason]
    assert await asyncio.gather(send(2), send(3)) == ["received", "received"]


async def test_a_document_told_of_twice_is_sent_once(neighbours: Neighbours) -> None:
    event = a_documented_certificate()
    await neighbours.kh.hears(event)
    await neighbours.kh.hears(event)
    await neighbours.exchange_until_quiet()
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]
    assert await inbound(neighbours.vn) == 1


async def test_a_document_sent_again_after_a_lost_receipt_is_kept_once_and_its_first_arrival_counts(
    neighbours: Neighbours,
) -> None:
    neighbours.kh.lines["VN"].loses_answers = 2
    await neighbours.kh.hears(a_documented_certificate())
    for _ in range(3):
        await neighbours.kh.does_what_is_due()

    assert await inbound(neighbours.vn) == 1
    assert len(neighbours.kh.lines["VN"].carried) == 3
    async with neighbours.vn.database.reading() as session:
        first = await session.scalar(select(inbound_documents.c.received_at))
    assert (await neighbours.kh.announced())[-1].occurred_at == first


async def test_a_decision_may_come_before_the_receipt(neighbours: Neighbours) -> None:
    event = a_documented_certificate()
    await neighbours.kh.hears(event)
    neighbours.kh.lines["VN"].loses_answers = 1
    await neighbours.kh.does_what_is_due()
    await neighbours.vn.does_what_is_due()
    await neighbours.vn.does_what_is_due()
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]
    assert (await neighbours.kh.answers(event.certificate_id)).attempts == 1

    await neighbours.kh.does_what_is_due()
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]
    assert (await neighbours.kh.answers(event.certificate_id)).attempts == 0


async def test_a_receipt_that_comes_after_the_decision_does_no_harm(neighbours: Neighbours) -> None:
    line = neighbours.kh.lines["VN"]
    line.may_answer.clear()
    await neighbours.kh.hears(a_documented_certificate())
    sending = asyncio.create_task(neighbours.kh.does_what_is_due())
    await asyncio.wait_for(line.delivered.wait(), 10)
    await neighbours.vn.does_what_is_due()
    await neighbours.vn.does_what_is_due()
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]

    line.may_answer.set()
    await asyncio.wait_for(sending, 10)
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]
    assert await neighbours.kh.tasks_left() == []


async def test_another_document_under_the_same_number_is_rejected(neighbours: Neighbours) -> None:
    await neighbours.kh.hears(a_documented_certificate())
    await neighbours.kh.does_what_is_due()
    changed = Document(form=a_form(vessel="MV OTHER"))
    envelope = neighbours.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, NOON)
    receipt = await neighbours.kh.exchange.send(envelope, changed)
    assert [reason.code for reason in receipt.reasons] == ["document_differs"]
    assert await inbound(neighbours.vn) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuing_country": "TH"}, "sender_is_not_issuer"),
        ({"destination": "TH"}, "wrong_destination"),
        ({"reference": "D2026-PNH-000999"}, "reference_mismatch"),
    ],
)
async def test_a_document_that_does_not_belong_is_rejected(neighbours: Neighbours, changes: dict[str, str], code: str) -> None:
    envelope = neighbours.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, NOON)
    receipt = await neighbours.kh.exchange.send(envelope, Document(form=a_form(**changes)))
    assert [reason.code for reason in receipt.reasons] == [code]
    assert await inbound(neighbours.vn) == 0


async def test_a_rejecting_receipt_is_a_rejection_with_its_reasons(neighbours: Neighbours) -> None:
    envelope = neighbours.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, NOON)
    await neighbours.kh.exchange.send(envelope, Document(form=a_form(vessel="MV OTHER")))
    await neighbours.kh.hears(a_documented_certificate())
    await neighbours.kh.does_what_is_due()
    last = (await neighbours.kh.announced())[-1]
    assert (last.code, last.country, last.reasons) == (StatusCode.NOT, "VN", ("document_differs",))


async def test_a_decision_of_customs_is_returned_when_the_exporting_gateway_is_back(neighbours: Neighbours) -> None:
    await neighbours.kh.hears(a_documented_certificate())
    await neighbours.kh.does_what_is_due()
    neighbours.vn.lines["KH"].cut = True
    for _ in range(3):
        await neighbours.vn.does_what_is_due()
    assert await neighbours.vn.tasks_left() == ["return_response"]
    neighbours.vn.lines["KH"].cut = False
    await neighbours.exchange_until_quiet()
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]


async def test_a_document_waits_while_customs_are_down(neighbours: Neighbours) -> None:
    service = neighbours.vn.customs_line
    service.answers = [an_answer(503), an_answer(200, b"<html>"), an_answer(200, b'{"decision": "rejected"}')]
    await neighbours.kh.hears(a_documented_certificate())
    await neighbours.kh.does_what_is_due()
    for _ in range(3):
        await neighbours.vn.does_what_is_due()
        assert await neighbours.vn.tasks_left() == ["deliver_to_customs"]
    await neighbours.exchange_until_quiet()
    assert await neighbours.kh.codes() == ["AS1", "AS2", "REC"]


async def test_only_the_destination_decides_on_a_document(neighbours: Neighbours) -> None:
    await neighbours.kh.hears(a_documented_certificate(a_form(destination="TH")))
    envelope = neighbours.vn.exchange.envelope(uuid4(), Kind.RESPONSE, "KH", "D2026-PNH-000123", 1, NOON)
    receipt = await neighbours.vn.exchange.send(envelope, Response(code="REC", decided_at=NOON, received_at=NOON))
    assert [reason.code for reason in receipt.reasons] == ["not_the_destination"]
    assert await neighbours.kh.codes() == ["AS1"]


async def test_a_decision_on_an_unknown_document_is_refused_and_laid_before_an_operator(neighbours: Neighbours) -> None:
    envelope = neighbours.kh.exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, NOON)
    await neighbours.kh.exchange.send(envelope, Document(form=a_form()))
    await neighbours.exchange_until_quiet()
    async with neighbours.vn.database.reading() as session:
        letters = (await session.execute(select(dead_letters.c.name, dead_letters.c.error))).all()
    assert [letter.name for letter in letters] == ["return_response"]
    assert "response_not_taken" in letters[0].error


async def test_a_stranger_may_not_read_a_transmission(neighbours: Neighbours) -> None:
    event = a_documented_certificate()
    await neighbours.kh.hears(event)
    stranger = Actor(user_id=uuid4(), organisation=str(uuid4()), roles=frozenset({"signatory"}))
    with pytest.raises(NotYours):
        await neighbours.kh.answers(event.certificate_id, stranger)
    officer = Actor(user_id=uuid4(), organisation="PNH", roles=frozenset({"reviewer"}))
    assert (await neighbours.kh.answers(event.certificate_id, officer)).reference == "D2026-PNH-000123"
    assert event.exporter_id == EXPORTER


async def test_a_trace_goes_on_at_a_partner_that_trusts_it(neighbours: Neighbours) -> None:
    line = neighbours.kh.lines["VN"]
    with span("test", under="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01", kind=SpanKind.INTERNAL):
        await neighbours.kh.hears(a_documented_certificate())
    await neighbours.kh.does_what_is_due()
    assert line.carried[0][1]["traceparent"].split("-")[1] == "ab" * 16
