"""Impossible times and too many reasons in messages of a genuine partner do not reach the public."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry.trace import INVALID_SPAN
from pydantic import ValidationError
from sqlalchemy import select, update

from services.gateway.handlers.sending import announce_steps
from services.gateway.store import steps, transmissions
from services.gateway.wire.customs import Decision
from services.gateway.wire.messages import MAX_DETAIL, Acknowledgement, Document, Kind, Reason, Receipt, Rejection, WireModel
from services.gateway.wire.signature import Signer
from services.gateway.wire.xml import write_message
from shared.contracts.gateway.transmissions import MAX_REASONS, MAX_STEP_DETAIL, TransmissionAdvanced
from shared.workers.requests import MAX_ANSWER
from shared.xml.document_types import E_FORM_D

from .builders import TwoGateways, a_documented_certificate, a_form, an_answer, with_certificate
from .test_gateway_receiving import XML, an_envelope

pytestmark = pytest.mark.slow

Respond = Callable[..., Awaitable[list[str]]]


def now() -> datetime:
    return datetime.now(UTC)


def a_reason(code: str = "restricted_goods", detail: str = "Needs a licence.") -> Reason:
    return Reason.model_construct(code=code, detail=detail)


@pytest.fixture
def respond(gateways: TwoGateways, signers: dict[str, Signer]) -> Respond:
    """Sends a response of the gateway of VN and returns the codes of its rejection."""

    async def send(**fields: Any) -> list[str]:
        at = now()
        values = {"code": "REC", "decided_at": at, "received_at": at, "reasons": ()} | fields
        decided_at, received_at = values["decided_at"], values["received_at"]
        content: WireModel
        if values["code"] == "REC":
            kind, content = (
                Kind.ACKNOWLEDGEMENT,
                Acknowledgement.model_construct(received_at=received_at, available_at=decided_at),
            )
        else:
            refused = {"rejected_at": decided_at, "reasons": values["reasons"]}
            kind, content = Kind.REJECTION, Rejection.model_construct(received_at=received_at, **refused)
        message = signers["VN"].sign(write_message(an_envelope(kind=kind, sender="VN", receiver="KH"), content))
        transport = httpx.ASGITransport(with_certificate(gateways.kh.app, signers["VN"]), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://kh.example") as client:
            answer = await client.post("/asw/messages", content=message, headers=XML)
        assert answer.status_code == 200, answer.text
        receipt = (await gateways.vn.exchange.opened(answer.content)).content()
        assert isinstance(receipt, Receipt)
        return [reason.code for reason in receipt.reasons]

    return send


@pytest.fixture
async def waiting(gateways: TwoGateways) -> Any:
    """A document at our gateway without a receipt."""
    event = a_documented_certificate()
    gateways.kh.links["VN"].down = True
    await gateways.kh.receive(event)
    return event


END = datetime(9999, 12, 31, tzinfo=UTC)
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
IMPOSSIBLE: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "decided at the end of time": (lambda: {"decided_at": END}, "document_unreadable"),
    "received at the end of time": (lambda: {"received_at": END, "decided_at": END}, "document_unreadable"),
    "received at the beginning of time": (lambda: {"received_at": BEGINNING}, "document_unreadable"),
    "decided tomorrow": (lambda: {"decided_at": now() + timedelta(days=1)}, "step_time_wrong"),
    "received before it was sent": (lambda: {"received_at": now() - timedelta(hours=3)}, "step_time_wrong"),
    "decided before it was received": (
        lambda: {"received_at": now() + timedelta(hours=1.5), "decided_at": now() - timedelta(hours=1.5)},
        "step_time_wrong",
    ),
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
async def test_a_response_with_an_impossible_time_is_refused_and_adds_no_step(
    gateways: TwoGateways, waiting: Any, respond: Respond, what: str
) -> None:
    fields, code = IMPOSSIBLE[what]
    assert await respond(**fields()) == [code]
    assert await gateways.kh.codes() == ["AS1"]


async def test_a_response_of_a_clock_wrong_by_one_hour_is_accepted(
    gateways: TwoGateways, waiting: Any, respond: Respond
) -> None:
    assert await respond(received_at=now() - timedelta(hours=1), decided_at=now() + timedelta(hours=1)) == []
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


@pytest.mark.parametrize(
    "at", [now() + timedelta(days=1), now() - timedelta(days=1), END], ids=["future", "past", "no instant"]
)
async def test_a_receipt_with_an_impossible_time_is_ignored_and_the_document_is_sent_again(
    gateways: TwoGateways, signers: dict[str, Signer], waiting: Any, at: datetime
) -> None:
    gateways.kh.links["VN"].down = False
    gateways.kh.links["VN"].lost_answers = 1
    await gateways.kh.run_due_tasks()
    sent = (await gateways.vn.exchange.opened(gateways.kh.links["VN"].sent[-1][0])).envelope
    receipt = Receipt.model_construct(in_reply_to=sent.message_id, received_at=at, reasons=())
    forged = signers["VN"].sign(write_message(sent.answered(now()), receipt))
    gateways.kh.links["VN"].answers = [an_answer(200, forged)]

    await gateways.kh.run_due_tasks()

    state = await gateways.kh.state(waiting.certificate_id)
    assert re.search("impossible time|cannot be trusted", state.waits_because or "")
    assert await gateways.kh.codes() == ["AS1"]
    assert await gateways.kh.tasks_left() == ["transmit_document"]
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


@pytest.mark.parametrize(
    "reasons",
    [
        tuple(a_reason(f"reason_{number}") for number in range(MAX_REASONS + 1)),
        tuple(a_reason(f"reason_{number}", "x") for number in range(15_000)),
        (a_reason(detail="x" * (MAX_DETAIL + 1)),),
        (a_reason(code="x" * 65),),
    ],
    ids=["one too many", "15,000 codes", "a long one", "a long code"],
)
async def test_reasons_over_the_limits_are_refused(
    gateways: TwoGateways, waiting: Any, respond: Respond, reasons: tuple[Reason, ...]
) -> None:
    assert await respond(code="NOT", reasons=reasons) == ["document_unreadable"]
    assert await gateways.kh.codes() == ["AS1"]


async def test_the_longest_reasons_in_the_limits_fit_into_an_answer(
    gateways: TwoGateways, waiting: Any, respond: Respond
) -> None:
    detail = '𝔊"\\\n' * (MAX_DETAIL // 4 - 1) + "end."
    reasons = tuple(a_reason(f"reason_{number:057}", detail) for number in range(MAX_REASONS))
    assert await respond(code="NOT", reasons=reasons) == []
    state = await gateways.kh.state(waiting.certificate_id)
    assert len(state.steps[-1].reasons) == MAX_REASONS
    assert len(state.model_dump_json().encode()) < MAX_ANSWER


async def test_values_stored_before_the_limits_existed_are_cut_in_answers_and_events(
    gateways: TwoGateways, waiting: Any, respond: Respond
) -> None:
    assert await respond(code="NOT", reasons=(a_reason(),)) == []
    kept = {"reasons": [f"reason_{number}" for number in range(20_000)], "detail": "x" * 1900 * 1900}
    async with gateways.kh.database.writing() as transaction:
        await transaction.session.execute(update(steps).where(steps.c.code == "NOT").values(kept))
    last = (await gateways.kh.state(waiting.certificate_id)).steps[-1]
    assert (len(last.reasons), len(last.detail or "")) == (MAX_REASONS, MAX_STEP_DETAIL)
    assert len(last.model_dump_json().encode()) < MAX_ANSWER

    async with gateways.kh.context.work(INVALID_SPAN) as work:
        for transmission_id in await work.session.scalars(select(transmissions.c.transmission_id)):
            await announce_steps(transmission_id, work)
    assert len((await gateways.kh.announced())[-1].reasons) == MAX_REASONS


@pytest.mark.parametrize("number", ["1e50000000", "1e-50000000", "9" * 31, "NaN"])
async def test_a_number_with_too_many_digits_is_refused(gateways: TwoGateways, signers: dict[str, Signer], number: str) -> None:
    root = write_message(an_envelope(), Document(form=a_form()))
    for element in root.iter(f"{{{E_FORM_D.namespace(2)}}}TariffQuantity"):
        element.text = number
    transport = httpx.ASGITransport(with_certificate(gateways.vn.app, signers["KH"]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://vn.example") as client:
        answer = await client.post("/asw/messages", content=signers["KH"].sign(root), headers=XML)
    receipt = (await gateways.kh.exchange.opened(answer.content)).content()
    assert isinstance(receipt, Receipt)
    assert [reason.code for reason in receipt.reasons] == ["document_unreadable"]
    assert await gateways.vn.tasks_left() == []


def test_our_customs_and_events_have_the_same_limits() -> None:
    many = [a_reason(f"reason_{number}").model_dump() for number in range(MAX_REASONS + 1)]
    with pytest.raises(ValidationError):
        Decision.model_validate({"decision": "rejected", "reasons": many})
    step: dict[str, Any] = {"certificate_id": uuid4(), "reference": "D2026-PNH-000123", "destination": "VN", "number": 1}
    step |= {"code": "NOT", "country": "VN", "version": 1, "occurred_at": now()}
    TransmissionAdvanced.model_validate(step | {"reasons": [each["code"] for each in many[:-1]]})
    with pytest.raises(ValidationError):
        TransmissionAdvanced.model_validate(step | {"reasons": [each["code"] for each in many]})
