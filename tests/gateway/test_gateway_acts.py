"""Acts of officers on a transmission: hold, resume, and send a rejected document again."""

from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from services.gateway.domain import NotHeld, NotRejected, SentAlready, Step, Transmission
from services.gateway.handlers import router
from services.gateway.offices import OtherOffice
from services.gateway.wire.messages import Kind, Reason, Rejection
from shared.contracts.gateway.transmissions import (
    NEXT_CODES,
    HoldTransmission,
    ResendTransmission,
    ResumeTransmission,
    StatusCode,
    TransmissionState,
)
from shared.handling.actor import Actor
from tests.support.service_under_test import a_person

from .builders import NOON, Gateway, TwoGateways, a_documented_certificate, a_form, an_item

APPROVER = a_person("approver", organisation="PNH")


async def act(gateway: Gateway, command: Any, officer: Actor = APPROVER) -> TransmissionState:
    async with gateway.context.work(INVALID_SPAN) as work:
        work.act_as(officer)
        answer = await router.requests[type(command)](command, work)
    assert isinstance(answer, TransmissionState)
    return answer


async def test_a_held_document_is_not_sent_until_it_is_resumed(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)

    held = await act(gateways.kh, HoldTransmission(certificate_id=event.certificate_id, reason="The exporter asks to wait."))
    await gateways.run_until_idle()

    assert (held.held, held.waits_because) == (True, "The exporter asks to wait.")
    assert await gateways.kh.codes() == ["AS1"]

    resumed = await act(gateways.kh, ResumeTransmission(certificate_id=event.certificate_id))
    await gateways.run_until_idle()

    assert not resumed.held
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


async def test_officers_act_only_for_their_office_and_the_headquarters_for_all(gateways: TwoGateways) -> None:
    event = a_documented_certificate(a_form(office="SHV"))
    await gateways.kh.receive(event)
    held = HoldTransmission(certificate_id=event.certificate_id, reason="The exporter asks to wait.")

    with pytest.raises(OtherOffice, match="belongs to the office SHV"):
        await act(gateways.kh, held, a_person("approver", organisation="SVR"))

    assert (await act(gateways.kh, held, a_person("approver", organisation="SHV"))).held
    assert not (await act(gateways.kh, ResumeTransmission(certificate_id=event.certificate_id), APPROVER)).held


async def test_a_rejected_document_is_sent_again_with_the_next_number(gateways: TwoGateways) -> None:
    event = a_documented_certificate(a_form(items=(an_item(hs_code="24021000"),)))
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "NOT"]

    state = await act(gateways.kh, ResendTransmission(certificate_id=event.certificate_id))

    assert (state.number, [step.code for step in state.steps]) == (2, ["AS1"])
    assert [(each.number, each.step.code) for each in state.former] == [(1, "AS1"), (1, "AS2"), (1, "NOT")]
    await gateways.run_until_idle()
    announced = await gateways.kh.announced()
    assert [(each.number, each.code, each.version) for each in announced[3:]] == [(2, "AS1", 1), (2, "AS2", 2), (2, "NOT", 3)]


async def test_a_late_answer_to_the_former_transmission_changes_nothing(gateways: TwoGateways) -> None:
    event = a_documented_certificate(a_form(items=(an_item(hs_code="24021000"),)))
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    await act(gateways.kh, ResendTransmission(certificate_id=event.certificate_id))
    again = Rejection(received_at=NOON, rejected_at=NOON, reasons=(Reason(code="other", detail="Other."),))
    first = (await gateways.kh.announced())[2]
    late = again.model_copy(update={"received_at": first.occurred_at, "rejected_at": first.occurred_at})
    exchange = gateways.vn.exchange
    envelope = exchange.envelope(uuid4(), Kind.REJECTION, "KH", event.document.reference, 1, first.occurred_at)

    assert (await exchange.send(envelope, late)).reasons == ()

    state = await gateways.kh.state(event.certificate_id)
    assert (state.number, [step.code for step in state.steps]) == (2, ["AS1"])


def a_transmission(*codes: str) -> Transmission:
    made = Transmission(uuid4(), uuid4(), uuid4(), "D2026-PNH-000123", "VN", 1, "{}")
    for code in codes:
        made.reach(Step(code, NOON, "VN"), NEXT_CODES)
    return made


@pytest.mark.parametrize("codes", [("AS1", "AS2"), ("AS1", "NOT"), ("AS1", "AS2", "REC"), ("AS1", "CAN")])
def test_only_a_document_that_is_not_sent_can_be_held(codes: tuple[str, ...]) -> None:
    with pytest.raises(SentAlready):
        a_transmission(*codes).hold("Wait.")


def test_only_a_held_document_is_resumed() -> None:
    with pytest.raises(NotHeld):
        a_transmission("AS1").resume()


@pytest.mark.parametrize("code", [code for code in StatusCode if code != "NOT"])
def test_only_a_rejected_document_is_sent_again(code: StatusCode) -> None:
    transmission = a_transmission("AS1")
    transmission.steps.append(Step(code, NOON, "VN", position=2))
    with pytest.raises(NotRejected):
        transmission.again(uuid4())
