"""Verification: a question and its answer travel between two countries, and each counts once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from services.gateway.handlers import router
from services.gateway.offices import OtherOffice
from services.gateway.verification import CaseAnswered, CaseNotFound, CaseNotOurs, VerificationClocks
from services.gateway.wire.messages import Kind, VerificationAnswer
from shared.contracts.gateway.verification import AnswerVerification, AskVerification, ListVerifications, Verification
from shared.dated import NothingInForce
from shared.handling.actor import Actor
from tests.support.service_under_test import a_person

from .builders import Gateway, TwoGateways, a_documented_certificate, a_form, an_item

CUSTOMS, APPROVER = a_person("customs_officer", organisation="GDCE"), a_person("approver", organisation="PNH")


async def act(gateway: Gateway, request: Any, approver: Actor = APPROVER) -> Any:
    async with gateway.context.work(INVALID_SPAN) as work:
        work.act_as(approver if isinstance(request, AnswerVerification) else CUSTOMS)
        return await router.requests[type(request)](request, work)


async def cases(gateway: Gateway, **wanted: bool) -> tuple[Verification, ...]:
    found: tuple[Verification, ...] = (await act(gateway, ListVerifications(**wanted))).cases
    return found


@pytest.fixture
async def asked(gateways: TwoGateways) -> UUID:
    """The customs of VN ask KH about a certificate."""
    event = a_documented_certificate(a_form(items=(an_item(1), an_item(2))))
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    case_id = uuid4()
    question = {"reason": "origin_criterion_not_met", "question": "Which materials were imported?", "items": (2, 2)}
    await act(gateways.vn, AskVerification(case_id=case_id, origin="KH", reference=event.document.reference, **question))
    await gateways.run_until_idle()
    return case_id


async def test_a_question_arrives_with_its_clock(gateways: TwoGateways, asked: UUID) -> None:
    (case,) = await cases(gateways.kh)
    assert (case.case_id, case.ours, case.partner, case.items) == (asked, False, "VN", (2,))
    assert case.question == "Which materials were imported?"
    assert case.answer_by == gateways.kh.context.clock.today() + timedelta(days=90)
    assert case.close_by == gateways.kh.context.clock.today() + timedelta(days=180)
    (own,) = await cases(gateways.vn, ours=True)
    assert (own.case_id, own.answered_at) == (asked, None)


async def test_an_answer_closes_the_case_on_both_sides(gateways: TwoGateways, asked: UUID) -> None:
    await act(gateways.kh, AnswerVerification(case_id=asked, outcome="origin_confirmed", text="Examined at the factory."))
    await gateways.run_until_idle()

    assert await cases(gateways.kh) == await cases(gateways.vn, ours=True) == ()
    (answered,) = await cases(gateways.vn, ours=True, open=False)
    assert (answered.outcome, answered.text) == ("origin_confirmed", "Examined at the factory.")


async def test_an_officer_of_another_office_does_not_answer(gateways: TwoGateways, asked: UUID) -> None:
    answer = AnswerVerification(case_id=asked, outcome="origin_confirmed", text="Yes.")
    with pytest.raises(OtherOffice):
        await act(gateways.kh, answer, a_person("approver", organisation="SVR"))
    assert len(await cases(gateways.kh)) == 1


async def test_a_case_is_answered_once(gateways: TwoGateways, asked: UUID) -> None:
    answer = AnswerVerification(case_id=asked, outcome="origin_confirmed", text="Yes.")
    await act(gateways.kh, answer)
    with pytest.raises(CaseAnswered):
        await act(gateways.kh, answer.model_copy(update={"outcome": "certificate_not_genuine"}))


async def test_a_question_asked_twice_is_one_case(gateways: TwoGateways, asked: UUID) -> None:
    gateways.vn.links["KH"].lost_answers = 1
    (case,) = await cases(gateways.vn, ours=True)
    again = AskVerification(
        case_id=asked, origin="KH", reference=case.reference, reason="origin_criterion_not_met", question="Once more?"
    )
    await act(gateways.vn, again)
    await gateways.run_until_idle()
    assert [each.question for each in await cases(gateways.kh)] == ["Which materials were imported?"]


async def test_our_own_question_is_not_ours_to_answer(gateways: TwoGateways, asked: UUID) -> None:
    with pytest.raises(CaseNotOurs):
        await act(gateways.vn, AnswerVerification(case_id=asked, outcome="origin_confirmed", text="Yes."))
    with pytest.raises(CaseNotFound):
        await act(gateways.kh, AnswerVerification(case_id=uuid4(), outcome="origin_confirmed", text="Yes."))


async def test_an_answer_about_another_certificate_is_refused(gateways: TwoGateways, asked: UUID) -> None:
    now = datetime.now(UTC)
    answer = VerificationAnswer(case_id=asked, answered_at=now, outcome="certificate_not_genuine", text="Forged.")
    exchange = gateways.kh.exchange
    envelope = exchange.envelope(uuid4(), Kind.VERIFICATION_ANSWER, "VN", "D2026-PNH-999999", 1, now)
    receipt = await exchange.send(envelope, answer)
    assert [reason.code for reason in receipt.reasons] == ["verification_not_found"]
    (case,) = await cases(gateways.vn, ours=True)
    assert case.outcome is None


def test_the_clocks_are_those_of_the_law_from_its_date_on() -> None:
    clocks = VerificationClocks.load()
    assert clocks.of(date(2026, 11, 27)) == (date(2027, 2, 25), date(2027, 5, 26))
    with pytest.raises(NothingInForce):
        clocks.of(date(2010, 1, 1))
