"""Commands and questions: one effect each, and never silence."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import OKPKey
from sqlalchemy import insert, select

from shared.bus.client import AskRefused
from shared.bus.connection import TOKEN_HEADER
from shared.contracts.fees import GetInvoice, InvoiceState, RecordPayment
from shared.contracts.messages import Refusal
from shared.contracts.registry.identity import OpenSession, Session, SessionRevoked
from shared.database.tables import answers, outbox, signing_keys
from shared.handling.router import Router
from shared.handling.work import Work
from shared.refusals import Refused, Unavailable
from tests.conftest import Databases, eventually
from tests.support.bus import Bus
from tests.support.plumbing_stack import (
    Chore,
    PlumbingStack,
    a_cashier,
    a_payment,
    a_plumbing_stack,
    a_router,
    a_settlement,
    a_submission,
    an_invoice,
    keep,
    small,
)
from tests.support.postgres import Postgres

A_QUESTION = GetInvoice(certificate_id=uuid4())


async def refusal_of(
    stack: PlumbingStack, body: bytes, subject: str = RecordPayment.subject, token: str | None = None
) -> Refusal:
    """The refusal that raw bytes are answered with."""
    client = await stack.client("portal")
    reply = await client.request(subject, body, timeout=3, headers={TOKEN_HEADER: token or stack.token()})
    return Refusal.model_validate(json.loads(reply.data)["refusal"])


async def nothing_changed(stack: PlumbingStack) -> bool:
    return not (await stack.effects() or await stack.rows(answers) or await stack.rows(outbox))


def body_with(**fields: Any) -> bytes:
    return json.dumps(json.loads(a_payment().model_dump_json()) | fields).encode()


async def test_a_command_sent_twice_acts_once_and_gets_the_same_answer(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, token, command = await stack.asker(), stack.token(), a_payment()

    first = await asker.ask(command, token=token)
    second = await asker.ask(command, token=token)

    assert first == second
    assert await stack.effects() == ["SLIP-1"]
    assert len(await stack.rows(outbox)) == 1


async def test_a_command_sent_twice_is_known_by_another_replica_too(stack: PlumbingStack) -> None:
    token, command = stack.token(), a_payment()
    first = await stack.replica()
    answer = await (await stack.asker()).ask(command, token=token)
    await first.stop()
    await stack.replica()

    assert await (await stack.asker()).ask(command, token=token) == answer
    assert await stack.effects() == ["SLIP-1"]


async def test_many_twins_sent_at_once_act_once(stack: PlumbingStack) -> None:
    async def slowly(command: RecordPayment, work: Work) -> InvoiceState:
        await keep(work, command.slip_number)
        await asyncio.sleep(0.05)
        return an_invoice(command.certificate_id)

    await stack.replica(a_router(pay=slowly))
    await stack.replica(a_router(pay=slowly))
    asker, token, command = await stack.asker(), stack.token(), a_payment()

    answered = await asyncio.gather(*(asker.ask(command, token=token) for _ in range(8)))

    assert len(set(map(InvoiceState.model_dump_json, answered))) == 1
    assert await stack.effects() == ["SLIP-1"]


async def test_a_twin_of_a_command_that_was_refused_is_handled_itself(stack: PlumbingStack) -> None:
    refused_first = iter((True, False, False))

    async def refuse_once(command: RecordPayment, work: Work) -> InvoiceState:
        await keep(work, "tried")
        await asyncio.sleep(0.02)
        if next(refused_first):
            raise Refused()
        return an_invoice(command.certificate_id)

    await stack.replica(a_router(pay=refuse_once))
    asker, token, command = await stack.asker(), stack.token(), a_payment()

    outcomes = await asyncio.gather(*(asker.ask(command, token=token) for _ in range(3)), return_exceptions=True)

    assert sum(isinstance(outcome, AskRefused) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvoiceState) for outcome in outcomes) == 2
    assert await stack.effects() == ["tried"]


async def test_another_body_under_the_same_command_id_is_refused(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    asker, token, command = await sqlite_stack.asker(), sqlite_stack.token(), a_payment()
    await asker.ask(command, token=token)

    with pytest.raises(AskRefused, match="command_id_reused"):
        await asker.ask(a_payment(command_id=command.command_id, amount_khr=1), token=token)

    assert await sqlite_stack.effects() == ["SLIP-1"]


async def test_the_same_command_id_of_another_person_is_another_command(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    asker, command = await sqlite_stack.asker(), a_payment()

    await asker.ask(command, token=sqlite_stack.token())
    await asker.ask(command, token=sqlite_stack.token())

    assert await sqlite_stack.effects() == ["SLIP-1", "SLIP-1"]


async def test_a_refusal_is_not_stored_and_changes_nothing(stack: PlumbingStack) -> None:
    class SlipUsed(Refused):
        code = "slip_already_used"

    willing: list[bool] = []

    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        await keep(work, command.slip_number)
        work.announce(a_settlement(command.certificate_id))
        if not willing:
            raise SlipUsed("slip_number", slip="SLIP-1")
        return an_invoice(command.certificate_id)

    await stack.replica(a_router(pay=pay))
    asker, token, command = await stack.asker(), stack.token(), a_payment()

    with pytest.raises(AskRefused) as refused:
        await asker.ask(command, token=token)
    detail, fields = "The slip SLIP-1 has been entered already.", ("slip_number",)
    assert refused.value.refusal == Refusal(code="slip_already_used", detail=detail, fields=fields, values={"slip": "SLIP-1"})
    assert await nothing_changed(stack)

    willing.append(True)
    assert await asker.ask(command, token=token)
    assert await stack.effects() == ["SLIP-1"]


MALFORMED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "an unknown field": (body_with(note="x"), ("note",)),
    "a missing field": (json.dumps({"amount_khr": 1}).encode(), ("certificate_id", "slip_number", "paid_on")),
    "a wrong type": (body_with(amount_khr="much"), ("amount_khr",)),
    "a fraction of a riel": (body_with(amount_khr=0.5), ("amount_khr",)),
    "too large a number": (body_with(amount_khr=7).replace(b": 7", b": " + b"9" * 5000), ("body",)),
    "a number out of bounds": (body_with(amount_khr=10**13), ("amount_khr",)),
    "a control character": (body_with(slip_number="A\x00BC"), ("slip_number",)),
    "no object": (b"[]", ("body",)),
    "no JSON": (b"{", ("body",)),
    "no text": (b"\xff\xfe\x00", ("body",)),
    "nothing": (b"", ("body",)),
    "a deep nest": (b"[" * 100_000, ("body",)),
    "a lone surrogate": (b'{"slip_number": "\\ud800"}', ("body",)),
}


async def test_of_two_that_want_the_same_at_once_the_later_hears_the_rule(stack: PlumbingStack) -> None:
    class NameTaken(Refused):
        code = "name_taken"

    both_have_looked = asyncio.Barrier(2)
    looked = 0

    async def take_name(command: RecordPayment, work: Work) -> InvoiceState:
        nonlocal looked
        if (await work.session.execute(select(small.c.id))).all():
            raise NameTaken("slip_number")
        looked += 1
        if stack.dialect == "postgresql" and looked <= 2:  # SQLite lets one writer look at a time
            await both_have_looked.wait()
        await work.session.execute(insert(small).values(name="the same"))
        return an_invoice(command.certificate_id)

    await stack.replica(a_router(pay=take_name))
    asker, token = await stack.asker(), stack.token()
    asked = (asker.ask(a_payment(), token=token) for _ in range(2))
    answers_given = await asyncio.gather(*asked, return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers_given) == ["AskRefused", "InvoiceState"]
    refused = next(answer for answer in answers_given if isinstance(answer, AskRefused))
    assert (refused.refusal.code, refused.refusal.fields) == ("name_taken", ("slip_number",))
    assert len(await stack.rows(small)) == 1


async def test_what_can_never_be_stored_is_an_internal_error(sqlite_stack: PlumbingStack) -> None:
    attempts = []

    async def take_name_twice(command: RecordPayment, work: Work) -> InvoiceState:
        attempts.append(command.slip_number)
        await work.session.execute(insert(small), [{"name": "the same"}, {"name": "the same"}])
        return an_invoice(command.certificate_id)

    await sqlite_stack.replica(a_router(pay=take_name_twice))
    with pytest.raises(AskRefused, match="internal_error"):
        await (await sqlite_stack.asker()).ask(a_payment(), token=sqlite_stack.token())
    assert len(attempts) == 2


async def test_a_malformed_request_is_refused_by_field(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    refusals = {what: await refusal_of(sqlite_stack, body) for what, (body, _) in MALFORMED.items()}

    assert {what: refusal.fields for what, refusal in refusals.items()} == {what: case[1] for what, case in MALFORMED.items()}
    assert {refusal.code for refusal in refusals.values()} == {"malformed_request"}
    assert all(refusal.detail.endswith(".") for refusal in refusals.values())
    assert await nothing_changed(sqlite_stack)


async def test_a_refusal_does_not_send_an_endless_field_name_back(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    refusal = await refusal_of(sqlite_stack, body_with(**{"x" * 500_000: 1}))

    assert refusal.code == "malformed_request"
    assert len(refusal.model_dump_json()) < 10_000


async def test_too_large_a_request_is_refused(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    refusal = await refusal_of(sqlite_stack, body_with(slip_number="A" * 950_000))

    assert refusal.code == "request_too_large"
    assert await nothing_changed(sqlite_stack)


async def test_too_large_an_answer_is_refused_and_not_silence(sqlite_stack: PlumbingStack) -> None:
    async def tell_all(question: GetInvoice, work: Work) -> InvoiceState:
        lines = [{"text": "x" * 1000, "amount_khr": 1, "source": ""}] * 1100
        return an_invoice(question.certificate_id, lines=lines)

    await sqlite_stack.replica(a_router(show=tell_all))

    assert await refusal_of(sqlite_stack, A_QUESTION.model_dump_json().encode(), GetInvoice.subject)


async def test_a_handler_that_fails_is_an_internal_error_that_tells_nothing_and_changes_nothing(stack: PlumbingStack) -> None:
    async def fail(command: RecordPayment, work: Work) -> InvoiceState:
        await keep(work, "half")
        raise ValueError("the secret is 42")

    await stack.replica(a_router(pay=fail))

    refusal = await refusal_of(stack, body_with())

    assert refusal.code == "internal_error"
    assert "42" not in refusal.model_dump_json()
    assert await nothing_changed(stack)


async def test_a_malformed_value_made_by_a_handler_is_not_the_callers_fault(sqlite_stack: PlumbingStack) -> None:
    async def fail(command: RecordPayment, work: Work) -> InvoiceState:
        return InvoiceState(amount_khr="the secret is 42")  # type: ignore[call-arg]

    await sqlite_stack.replica(a_router(pay=fail))

    assert (await refusal_of(sqlite_stack, body_with())).code == "internal_error"


async def test_a_handler_that_answers_with_another_class_is_an_internal_error(sqlite_stack: PlumbingStack) -> None:
    async def nothing(command: RecordPayment, work: Work) -> None:
        await keep(work, "half")

    await sqlite_stack.replica(a_router(pay=nothing))

    assert (await refusal_of(sqlite_stack, body_with())).code == "internal_error"
    assert await nothing_changed(sqlite_stack)


async def test_a_value_the_database_cannot_hold_is_an_internal_error(postgres_house: PlumbingStack) -> None:
    async def overflow(command: RecordPayment, work: Work) -> InvoiceState:
        await work.session.execute(insert(small).values(id=2**40, name="x"))
        return an_invoice()

    await postgres_house.replica(a_router(pay=overflow))

    assert (await refusal_of(postgres_house, body_with())).code == "internal_error"


async def test_what_is_away_is_temporarily_unavailable(sqlite_stack: PlumbingStack) -> None:
    async def away(command: RecordPayment, work: Work) -> InvoiceState:
        await keep(work, "half")
        raise Unavailable("the bank sleeps")

    await sqlite_stack.replica(a_router(pay=away))

    assert (await refusal_of(sqlite_stack, body_with())).code == "temporarily_unavailable"
    assert await nothing_changed(sqlite_stack)


async def test_while_the_database_is_away_requests_are_temporarily_unavailable(
    postgres_house: PlumbingStack, postgres: Postgres
) -> None:
    await postgres_house.replica()
    token = postgres_house.token()
    await (await postgres_house.asker()).ask(a_payment(), token=token)
    with postgres.away():
        codes = [(await refusal_of(postgres_house, body_with(), token=token)).code for _ in range(3)]
        question = A_QUESTION.model_dump_json().encode()
        codes.append((await refusal_of(postgres_house, question, GetInvoice.subject, token)).code)

    assert set(codes) == {"temporarily_unavailable"}
    assert await (await postgres_house.asker(patience=10)).ask(a_payment(), token=token)
    assert len(await postgres_house.effects()) == 2


@pytest.mark.parametrize("how", ["execute", "announce", "later"])
async def test_a_question_cannot_change_anything(stack: PlumbingStack, how: str) -> None:
    async def sly(question: GetInvoice, work: Work) -> InvoiceState:
        if how == "execute":
            await keep(work, "sly")
        elif how == "announce":
            work.announce(a_settlement())
        else:
            work.later(Chore(), key="1")
        return an_invoice(question.certificate_id)

    await stack.replica(a_router(show=sly))

    refusal = await refusal_of(stack, A_QUESTION.model_dump_json().encode(), GetInvoice.subject)

    assert refusal.code == "internal_error"
    assert await nothing_changed(stack)


async def test_after_a_question_the_connection_may_write_again(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, token = await stack.asker(), stack.token()

    for _ in range(3):
        await asyncio.gather(*(asker.ask(A_QUESTION, token=token) for _ in range(12)))
        await asker.ask(a_payment(), token=token)

    assert len(await stack.effects()) == 3


async def test_a_command_in_progress_is_answered_before_the_replica_stops(stack: PlumbingStack) -> None:
    begun = asyncio.Event()

    async def slowly(command: RecordPayment, work: Work) -> InvoiceState:
        begun.set()
        await asyncio.sleep(0.3)
        await keep(work, "done")
        return an_invoice(command.certificate_id)

    running = await stack.replica(a_router(pay=slowly))
    request = asyncio.create_task((await stack.asker(patience=2)).ask(a_payment(), token=stack.token()))
    await begun.wait()

    await running.stop()

    assert await request
    assert await stack.effects() == ["done"]


async def test_what_a_command_announced_as_its_replica_stopped_is_told_before_it_ends(sqlite_stack: PlumbingStack) -> None:
    begun = asyncio.Event()

    async def slowly(command: RecordPayment, work: Work) -> InvoiceState:
        begun.set()
        await asyncio.sleep(0.3)
        work.announce(a_settlement(command.certificate_id))
        return an_invoice(command.certificate_id)

    running = await sqlite_stack.replica(a_router(pay=slowly))
    request = asyncio.create_task((await sqlite_stack.asker(patience=2)).ask(a_payment(), token=sqlite_stack.token()))
    await begun.wait()

    await running.stop()

    assert await request
    assert [row.sent_at is not None for row in await sqlite_stack.rows(outbox)] == [True]


async def test_more_requests_than_hands_are_all_answered(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, token = await stack.asker(), stack.token()

    answered = await asyncio.gather(
        *(asker.ask(a_payment(), token=token) for _ in range(60)), *(asker.ask(A_QUESTION, token=token) for _ in range(100))
    )

    assert len(answered) == 160
    assert len(await stack.effects()) == 60


async def test_a_line_logged_for_one_request_does_not_name_the_actor_of_another(
    sqlite_stack: PlumbingStack, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    async def log_it(question: GetInvoice, work: Work) -> InvoiceState:
        logging.getLogger("test").info("seen", extra={"actor": work.actor.name})
        return an_invoice(question.certificate_id)

    async def log_event(event: Any, work: Work) -> None:
        logging.getLogger("test").info("heard")

    await sqlite_stack.replica(a_router(show=log_it, submitted=log_event))
    asker = await sqlite_stack.asker()
    for _ in range(3):
        await asker.ask(A_QUESTION, token=sqlite_stack.token())
    with pytest.raises(AskRefused):
        await asker.ask(A_QUESTION, token="forged")
    await sqlite_stack.publish(a_submission())

    await eventually(lambda: [line for line in logged() if line["message"] == "heard"])
    seen = [line for line in logged() if line["message"] == "seen"]
    assert all(line["actor_id"] == line["actor"] for line in seen)
    assert len({line["actor"] for line in seen}) == 3
    assert all("actor_id" not in line for line in logged() if line["message"] == "heard")


async def test_a_secret_command_stores_no_answer_and_no_body(bus: Bus, databases: Databases) -> None:
    async def open_session(command: OpenSession, work: Work) -> Session:
        await keep(work, "opened")
        return Session(session_id=uuid4(), user_id=uuid4(), organisation="", roles=(), token="t0p-secret", expires_at=work.now)

    router = Router()
    router.answers(OpenSession)(open_session)
    async with a_plumbing_stack(bus, databases, "registry") as stack:
        await stack.replica(router)
        asker, command = await stack.asker(), OpenSession(email="sok@example.kh", password="correct horse")

        first, second = await asker.ask(command), await asker.ask(command)

        assert first != second
        assert await stack.rows(answers) == []
        assert await stack.effects() == ["opened", "opened"]


async def test_a_session_that_was_revoked_is_refused(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, actor = await stack.asker(), a_cashier()
    await asker.ask(A_QUESTION, token=stack.token(actor))
    until = stack.clock.now() + timedelta(hours=1)
    await stack.publish(
        SessionRevoked(version=1, occurred_at=stack.clock.now(), session_id=actor.session_id, until=until), by="registry"
    )

    async def is_rejected() -> bool:
        refusal = await refusal_of(stack, body_with(), token=stack.token(actor))
        assert refusal.code == "token_invalid"
        return "signed out" in refusal.detail

    async def refused() -> bool:
        try:
            await asker.ask(A_QUESTION, token=stack.token(actor))
        except AskRefused as refused:
            return refused.refusal.code == "token_invalid"
        return False

    await eventually(refused)
    assert await is_rejected()
    assert await asker.ask(A_QUESTION, token=stack.token())
    assert await nothing_changed(stack)


async def test_a_key_that_registry_publishes_is_trusted_soon(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    asker, key = await sqlite_stack.asker(), OKPKey.generate_key("Ed25519")
    with pytest.raises(AskRefused, match="token_invalid"):
        await asker.ask(A_QUESTION, token=sqlite_stack.token(key=key))

    await sqlite_stack.publish_key(key)

    async def trusted() -> Any:
        try:
            return await asker.ask(A_QUESTION, token=sqlite_stack.token(key=key))
        except AskRefused:
            return None

    assert await eventually(trusted)


async def test_a_key_that_registry_retires_is_refused_soon_in_whichever_order_its_news_come(
    sqlite_stack: PlumbingStack,
) -> None:
    await sqlite_stack.replica()
    asker, key, never = await sqlite_stack.asker(), OKPKey.generate_key("Ed25519"), OKPKey.generate_key("Ed25519")
    at_once = timedelta(seconds=-1)
    for each, news in ((key, (timedelta(days=1), at_once)), (never, (at_once, timedelta(days=1)))):
        for lasts in news:
            await sqlite_stack.publish_key(each, lasts)

    async def known() -> bool:
        return len(await sqlite_stack.rows(signing_keys)) == 3

    await eventually(known)
    sqlite_stack.clock.ahead = timedelta(seconds=11)

    for each in (key, never):
        with pytest.raises(AskRefused, match="no longer valid"):
            await asker.ask(A_QUESTION, token=sqlite_stack.token(key=each))
