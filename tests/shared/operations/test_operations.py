"""What every service answers to its operators over the bus."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import insert, select

from shared.bus.client import AskRefused, BusClient, NobodyAnswers
from shared.contracts import operations
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.database.tables import answers, dead_letters, inbox, outbox, revoked_sessions, tasks
from shared.handling.work import Work
from shared.operations import retention
from shared.operations.retention import ANSWERS_KEPT, INBOX_KEPT, OUTBOX_KEPT
from shared.refusals import Refused
from tests.conftest import eventually
from tests.support.plumbing_stack import Chore, PlumbingStack, a_payment, a_router, a_submission, effects, keep
from tests.support.postgres import Postgres


async def ask(stack: PlumbingStack, question: Any) -> Any:
    return await (await stack.asker("operator")).ask(question, service="fees")


async def lay(stack: PlumbingStack, **fields: Any) -> None:
    """Lays an event among the dead letters."""
    present = {"kind": "event", "name": CertificateSubmitted.subject, "key": str(uuid4()), "error": "E: x"}
    body = a_submission().model_dump_json().encode()
    async with stack.database.writing() as transaction:
        row = present | {"body": body, "died_at": stack.clock.now()} | fields
        await transaction.session.execute(insert(dead_letters).values(row))


async def test_a_service_that_is_well_says_so(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    health = await ask(sqlite_stack, operations.AskHealth())

    assert (health.service, health.ready, health.problems) == ("fees", True, ())


async def test_a_service_whose_database_is_away_says_so_over_the_bus(postgres_house: PlumbingStack, postgres: Postgres) -> None:
    await postgres_house.replica()
    asker = await postgres_house.asker("operator", patience=1)
    with postgres.away():
        health = await asker.ask(operations.AskHealth(), service="fees")

    assert not health.ready
    assert "the database does not answer" in health.problems[0]


async def test_lag_counts_what_waits(stack: PlumbingStack) -> None:
    await stack.replica(a_router(submitted=_fail, tasks=[(Chore, _fail)]))
    async with stack.database.writing() as transaction:
        row = {"kind": "chore", "body": '{"name":"x"}', "attempts": 3}
        await transaction.session.execute(insert(tasks).values(row | {"key": "1", "due_at": stack.clock.now()}))
    await lay(stack)
    await stack.publish(a_submission())

    async def lag() -> Any:
        found = await ask(stack, operations.AskLag())
        return found if found.events_handed_over == 1 and found.tasks_failing == 1 else None

    found = await eventually(lag)
    assert (found.outbox_waiting, found.dead_letters) == (0, 1)
    assert found.tasks_waiting >= 1
    assert found.outbox_oldest_seconds == 0


async def _fail(message: Any, work: Work) -> None:
    raise ConnectionResetError


async def test_dead_letters_are_listed_in_pages_without_bodies(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    for number in range(5):
        await lay(sqlite_stack, key=str(number))

    first = (await ask(sqlite_stack, operations.ListDeadLetters(limit=3))).letters
    second = (await ask(sqlite_stack, operations.ListDeadLetters(limit=3, after=first[-1].id))).letters

    assert [letter.key for letter in (*first, *second)] == ["0", "1", "2", "3", "4"]
    assert all(letter.body is None for letter in first)


async def test_a_page_of_long_dead_letters_is_answered(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    for _ in range(300):
        await lay(sqlite_stack, error="x" * 4000)

    found = (await ask(sqlite_stack, operations.ListDeadLetters(limit=300))).letters

    assert len(found) >= 100


@pytest.mark.parametrize("body", [b"{}", b"\xff\x00", b"\xff" * 600_000], ids=["plain", "no text", "large"])
async def test_a_dead_letter_is_shown_with_its_body(sqlite_stack: PlumbingStack, body: bytes) -> None:
    await sqlite_stack.replica()
    await lay(sqlite_stack, body=body)

    (letter,) = (await ask(sqlite_stack, operations.ShowDeadLetter(id=1))).letters

    assert letter.body
    assert letter.error == "E: x"


async def test_a_dead_letter_that_is_not_there_is_refused(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    for question in (
        operations.ShowDeadLetter(id=7),
        operations.RetryDeadLetter(id=7),
        operations.ShowDeadLetter.model_construct(id=2**70),
    ):
        with pytest.raises(AskRefused, match=r"dead_letter_not_found|malformed_request"):
            await ask(sqlite_stack, question)


async def test_a_dead_event_that_can_be_taken_now_acts_once_and_is_gone(sqlite_stack: PlumbingStack) -> None:
    class NotYet(Refused):
        code = "not_yet"

    willing: list[bool] = []

    async def refuse(event: CertificateSubmitted, work: Work) -> None:
        if not willing:
            raise NotYet()
        await keep(work, event.certificate_id)

    await sqlite_stack.replica(a_router(submitted=refuse))
    event = a_submission()
    await sqlite_stack.publish(event)
    (letter,) = await eventually(sqlite_stack.dead)
    with pytest.raises(AskRefused, match=r"dead_letter_fails_again.*NotYet: not_yet"):
        await ask(sqlite_stack, operations.RetryDeadLetter(id=letter.id))
    assert len(await sqlite_stack.dead()) == 1

    willing.append(True)

    assert (await ask(sqlite_stack, operations.RetryDeadLetter(id=letter.id))).retried == 1
    assert await sqlite_stack.effects() == [str(event.certificate_id)]
    assert await sqlite_stack.dead() == []


async def test_an_event_that_was_retried_does_not_act_again_when_the_stream_is_rebuilt(stack: PlumbingStack) -> None:
    await stack.replica()
    event, event_id = a_submission(), uuid4()
    await lay(stack, key=str(event_id), body=event.model_dump_json().encode())
    await ask(stack, operations.RetryDeadLetter(id=1))

    await stack.announce_bytes(event.subject, event.model_dump_json().encode(), event_id)

    await eventually(lambda: _all_done(stack))
    assert await stack.effects() == [str(event.certificate_id)]


async def _all_done(stack: PlumbingStack) -> bool:
    return await stack.unacknowledged() == 0


async def test_a_dead_letter_that_two_operators_retry_at_once_acts_once(stack: PlumbingStack) -> None:
    async def slowly(event: CertificateSubmitted, work: Work) -> None:
        await asyncio.sleep(0.1)
        await keep(work, event.certificate_id)

    await stack.replica(a_router(submitted=slowly))
    await lay(stack)
    asker = await stack.asker("operator")

    retries = (asker.ask(operations.RetryDeadLetter(id=1), service="fees") for _ in range(2))
    outcomes = await asyncio.gather(*retries, return_exceptions=True)

    assert len(await stack.effects()) == 1
    assert sum(isinstance(outcome, AskRefused) for outcome in outcomes) == 1


async def test_a_dead_task_that_is_retried_is_done(stack: PlumbingStack) -> None:
    async def do_it(task: Chore, work: Work) -> None:
        await keep(work, task.name)

    await stack.replica(a_router(tasks=[(Chore, do_it)]))
    await lay(stack, kind="task", name="chore", key="1", body=Chore(name="sealed").model_dump_json().encode())

    await ask(stack, operations.RetryDeadLetter(id=1))

    await eventually(stack.effects)
    assert await stack.effects() == ["sealed"]
    assert await stack.dead() == []


async def test_only_the_operator_may_ask_for_dead_letters(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    portal = await sqlite_stack.asker("portal", patience=0.3)

    with pytest.raises(NobodyAnswers, match="No reply"):
        await portal.ask(operations.ListDeadLetters(), service="fees")
    assert (await ask(sqlite_stack, operations.ListDeadLetters())).letters == ()


async def test_the_digest_does_not_depend_on_the_order(stack: PlumbingStack) -> None:
    await stack.replica()
    digests = []
    for words in (("a", "b", "c"), ("c", "a", "b"), ("a", "b", "d")):
        async with stack.database.writing() as transaction:
            await transaction.session.execute(effects.delete())
            await transaction.session.execute(insert(effects), [{"what": word} for word in words])
        (fact,) = (await ask(stack, operations.AskDigest(facts=("kept",)))).facts
        digests.append(fact.digest)
        assert (fact.name, fact.count) == ("kept", 3)

    assert digests[0] == digests[1] != digests[2]
    by_hand = 0
    for word in "abc":
        by_hand ^= int.from_bytes(hashlib.sha256(word.encode()).digest())
    assert digests[0] == f"{by_hand:064x}"


async def test_the_keys_of_a_fact_come_in_pages(stack: PlumbingStack) -> None:
    await stack.replica()
    words = [f"{number:03}" for number in range(25)]
    async with stack.database.writing() as transaction:
        await transaction.session.execute(insert(effects), [{"what": word} for word in reversed(words)])

    found: list[str] = []
    while page := (await ask(stack, operations.ListKeys(fact="kept", limit=10, after=found[-1] if found else ""))).keys:
        assert len(page) <= 10
        found += page

    assert found == words


async def test_keys_that_are_ids_come_in_pages_too(stack: PlumbingStack) -> None:
    router = a_router()
    router.fact("heard", select(inbox.c.event_id))
    await stack.replica(router)
    ids = await stack.publish(*(a_submission() for _ in range(7)))
    await eventually(lambda: _all_done(stack))

    found: list[str] = []
    while page := (await ask(stack, operations.ListKeys(fact="heard", limit=3, after=found[-1] if found else ""))).keys:
        found += page

    assert found == sorted(map(str, ids))
    with pytest.raises(AskRefused, match=r"malformed_request"):
        await ask(stack, operations.ListKeys(fact="heard", after="no id"))


async def test_a_fact_that_the_service_does_not_report_is_refused(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    with pytest.raises(AskRefused, match="fact_not_vouched"):
        await ask(sqlite_stack, operations.ListKeys(fact="unknown"))


async def test_what_nobody_can_ask_for_any_more_is_forgotten_and_the_rest_kept(stack: PlumbingStack) -> None:
    running = await stack.replica()
    asker: BusClient = await stack.asker()
    await asker.ask(a_payment(), token=stack.token())
    await stack.publish(a_submission())
    await eventually(lambda: _all_done(stack))
    async with stack.database.writing() as transaction:
        row = {"session_id": uuid4(), "until": stack.clock.now() + timedelta(hours=1)}  # the first run may still be in progress
        await transaction.session.execute(insert(revoked_sessions).values(row))

    async def left() -> tuple[int, ...]:
        return tuple([len(await stack.rows(table)) for table in (answers, outbox, inbox, revoked_sessions)])

    async def becomes(wanted: tuple[int, ...]) -> bool:
        return await left() == wanted

    await eventually(lambda: _sent(stack))
    assert await left() == (1, 1, 1, 1)
    for age, wanted in ((ANSWERS_KEPT, (0, 1, 1, 0)), (OUTBOX_KEPT, (0, 0, 1, 0)), (INBOX_KEPT, (0, 0, 0, 0))):
        stack.clock.ahead = age * 1.01
        running.replica.context.something_due.set()
        await eventually(lambda wanted=wanted: becomes(wanted))
    assert sorted({row.kind for row in await stack.rows(tasks)}) == ["prune", "seal"]


async def test_more_than_one_batch_is_deleted_and_what_waits_is_kept(
    stack: PlumbingStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_DELETED", 3)
    running = await stack.replica()
    old, waiting = stack.clock.now() - OUTBOX_KEPT * 2, {"about": uuid4(), "subject": "evt.fee.settled.v1", "body": "{}"}
    rows = [{"event_id": uuid4(), "recorded_at": old, "sent_at": old, **waiting} for _ in range(10)]
    claimed = {"event_id": uuid4(), "recorded_at": old, "claimed_until": stack.clock.now() + timedelta(minutes=5), **waiting}
    async with stack.database.writing() as transaction:
        await transaction.session.execute(insert(outbox), rows)
        await transaction.session.execute(insert(outbox), [claimed])

    stack.clock.ahead = timedelta(days=1)
    running.replica.context.something_due.set()

    async def only_one_is_left() -> bool:
        return [row.event_id for row in await stack.rows(outbox)] == [claimed["event_id"]]

    await eventually(only_one_is_left)


async def _sent(stack: PlumbingStack) -> bool:
    return all(row.sent_at for row in await stack.rows(outbox))


async def test_a_task_left_at_start_is_left_once_however_often_it_starts(sqlite_stack: PlumbingStack) -> None:
    router = a_router(tasks=[(Chore, _fail)])

    @router.at_start
    async def leave(work: Work) -> None:
        work.later(Chore(), key="yearly", due_at=work.now.replace(year=2100))

    for _ in range(2):
        running = await sqlite_stack.replica(router)
        async with running.replica.context.work(INVALID_SPAN):
            pass
        await running.stop()

    assert [row.key for row in await sqlite_stack.rows(tasks) if row.kind == "chore"] == ["yearly"]
