"""The outbox: events are published after the commit, whatever happens to the bus meanwhile."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from shared.bus.connection import EVENT_ID_HEADER, TRACE_HEADER
from shared.contracts.certificates.issuing import CertificateIssued
from shared.contracts.fees import FeeSettled, InvoiceState, RecordPayment
from shared.contracts.messages import Event
from shared.database.claims import OUTBOX_CLAIM
from shared.database.tables import outbox
from shared.handling.to_publish import MOST, EventsToPublish
from shared.handling.work import ServiceContext, Work
from shared.refusals import Refused
from shared.workers.outbox import OutboxRelay
from tests.conftest import eventually
from tests.support.plumbing_stack import PlumbingStack, a_payment, a_router, a_settlement, an_invoice

SUBJECT = FeeSettled.subject


async def all_told(stack: PlumbingStack) -> bool:
    rows = await stack.rows(outbox)
    return bool(rows) and all(row.sent_at for row in rows)


async def announcing(stack: PlumbingStack, *events: Event) -> Any:
    """A replica that announces these events for a payment."""

    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        for event in events:
            work.announce(event)
        return an_invoice(command.certificate_id)

    return await stack.replica(a_router(pay=pay))


async def test_what_is_announced_is_published_once_with_its_id(stack: PlumbingStack) -> None:
    await stack.replica()
    asker, token = await stack.asker(), stack.token()

    await asyncio.gather(*(asker.ask(a_payment(), token=token) for _ in range(20)))

    await eventually(lambda: all_told(stack))
    published = [message.headers[EVENT_ID_HEADER] for message in await stack.heard(SUBJECT)]
    assert sorted(published) == sorted(str(row.event_id) for row in await stack.rows(outbox))
    assert len(published) == 20


async def test_nothing_is_published_of_a_transaction_that_is_rolled_back(sqlite_stack: PlumbingStack) -> None:
    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        work.announce(a_settlement())
        await work.flush_outbox()
        raise Refused()

    await sqlite_stack.replica(a_router(pay=pay))
    asker = await sqlite_stack.asker()
    for _ in range(3):
        with pytest.raises(Exception, match="refused"):
            await asker.ask(a_payment(), token=sqlite_stack.token())

    assert await sqlite_stack.rows(outbox) == []
    assert await sqlite_stack.heard(SUBJECT) == []


async def test_the_trace_of_an_announcement_is_stored_and_travels_with_it(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()

    await (await sqlite_stack.asker()).ask(a_payment(), token=sqlite_stack.token())

    await eventually(lambda: all_told(sqlite_stack))
    (row,) = await sqlite_stack.rows(outbox)
    (message,) = await sqlite_stack.heard(SUBJECT)
    assert row.traceparent.startswith("00-")
    assert message.headers[TRACE_HEADER] == row.traceparent


async def test_what_a_dead_replica_claimed_is_published_after_its_claim(stack: PlumbingStack) -> None:
    running = await stack.replica()
    await (await stack.asker()).ask(a_payment(), token=stack.token())
    await eventually(lambda: all_told(stack))
    await running.stop()
    async with stack.database.writing() as transaction:
        claimed_until = stack.clock.now()
        await transaction.session.execute(outbox.update().values(sent_at=None, claimed_until=claimed_until))

    await stack.replica()

    await eventually(lambda: all_told(stack))
    assert len(await stack.heard(SUBJECT)) == 1  # the duplicate window of the stream


async def test_two_relays_tell_everything_and_in_the_main_once(stack: PlumbingStack) -> None:
    one, two = await stack.replica(), await stack.replica()
    asker, token = await stack.asker(), stack.token()

    requests = asyncio.gather(*(asker.ask(a_payment(), token=token) for _ in range(80)))
    await asyncio.sleep(0.1)
    await one.stop()
    await requests

    await eventually(lambda: all_told(stack))
    published = [message.headers[EVENT_ID_HEADER] for message in await stack.heard(SUBJECT)]
    assert sorted(published) == sorted(str(row.event_id) for row in await stack.rows(outbox))
    assert len(published) == 80
    assert not two.serving.done()


async def test_what_is_announced_while_the_bus_is_away_is_published_when_it_is_back(stack: PlumbingStack) -> None:
    begun, bus_is_away = asyncio.Event(), asyncio.Event()

    async def pay(command: RecordPayment, work: Work) -> InvoiceState:
        begun.set()
        await bus_is_away.wait()
        work.announce(a_settlement(command.certificate_id))
        return an_invoice(command.certificate_id)

    await stack.replica(a_router(pay=pay))
    client = await stack.client("portal")
    command = a_payment()
    headers, reply = {"Actor-Token": stack.token()}, client.new_inbox()
    await client.publish(command.subject, command.model_dump_json().encode(), reply, headers=headers)
    await begun.wait()
    await stack.bus.kill()
    bus_is_away.set()
    await eventually(lambda: stack.rows(outbox))

    await stack.bus.start()

    await eventually(lambda: all_told(stack), within=10)
    assert len(await stack.heard(SUBJECT)) == 1


async def test_an_event_too_large_for_the_bus_cannot_be_announced(sqlite_stack: PlumbingStack) -> None:
    class Endless(FeeSettled):
        story: str

    await announcing(sqlite_stack, Endless(**a_settlement().model_dump(), story="x" * 1_100_000))

    with pytest.raises(Exception, match="internal_error"):
        await (await sqlite_stack.asker()).ask(a_payment(), token=sqlite_stack.token())
    assert await sqlite_stack.rows(outbox) == []


async def test_a_service_cannot_announce_what_is_not_its_own(sqlite_stack: PlumbingStack) -> None:
    foreign = CertificateIssued.model_construct(version=1, certificate_id=None)
    await announcing(sqlite_stack, foreign)

    with pytest.raises(Exception, match="internal_error"):
        await (await sqlite_stack.asker()).ask(a_payment(), token=sqlite_stack.token())
    assert await sqlite_stack.rows(outbox) == []


async def test_an_announcement_that_cannot_be_published_does_not_hold_up_the_others(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    context = ServiceContext("fees", stack.database, stack.clock, ThreadPoolExecutor())
    outbox_relay = OutboxRelay(context, (await stack.client("fees")).jetstream(), stack.bus.signer("fees"))
    for body in ("x" * 1_100_000, "{}"):
        row = {"event_id": uuid4(), "subject": SUBJECT, "body": body, "recorded_at": stack.clock.now()}
        async with stack.database.writing() as transaction:
            await transaction.session.execute(outbox.insert().values(row))

    for _ in range(3):
        await outbox_relay.publish_some()  # does not raise: a pause would hold up whatever comes next

    assert [row.sent_at is not None for row in await stack.rows(outbox)] == [False, True]


async def test_events_left_by_more_than_one_lot_are_all_published(sqlite_stack: PlumbingStack) -> None:
    await announcing(sqlite_stack, *(a_settlement() for _ in range(450)))

    await (await sqlite_stack.asker()).ask(a_payment(), token=sqlite_stack.token())

    await eventually(lambda: all_told(sqlite_stack))
    assert len(await sqlite_stack.rows(outbox)) == 450


async def test_what_a_replica_announces_it_publishes_without_reading_the_outbox(
    sqlite_stack: PlumbingStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.workers.outbox.SWEEP", 60)
    await sqlite_stack.replica()
    asker, token = await sqlite_stack.asker(), sqlite_stack.token()

    for _ in range(3):
        await asker.ask(a_payment(), token=token)

    await eventually(lambda: all_told(sqlite_stack))
    rows = await sqlite_stack.rows(outbox)
    assert len(rows) == 3
    assert all(row.claimed_until > row.recorded_at for row in rows)


def test_a_claim_in_memory_that_is_nearly_over_is_left_to_the_outbox() -> None:
    now, events = datetime(2026, 11, 27, tzinfo=UTC), EventsToPublish()
    events.add([{"event_id": 1, "claimed_until": events.claim(now)}])
    events.add([{"event_id": 2, "claimed_until": events.claim(now + OUTBOX_CLAIM)}, {"event_id": 3, "claimed_until": None}])

    taken = events.take(10, now + OUTBOX_CLAIM)

    assert [row["event_id"] for row in taken] == [2]
    assert not events


def test_at_most_so_many_events_wait_in_memory() -> None:
    now, events = datetime(2026, 11, 27, tzinfo=UTC), EventsToPublish()
    events.add([{"event_id": number, "claimed_until": events.claim(now)} for number in range(MOST)])

    assert events.claim(now) is None
    assert len(events.take(MOST, now)) == MOST
    assert events.claim(now) == now + OUTBOX_CLAIM


async def test_a_service_in_recovery_claims_nothing_for_its_relay(sqlite_stack: PlumbingStack) -> None:
    context = ServiceContext("fees", sqlite_stack.database, sqlite_stack.clock, ThreadPoolExecutor())
    for recovering in (None, "It was restored."):
        context.recovering = recovering
        async with context.work(INVALID_SPAN) as work:
            work.announce(a_settlement())

    assert [row.claimed_until is None for row in await sqlite_stack.rows(outbox)] == [False, True]
    assert len(context.to_publish.take(10, sqlite_stack.clock.now())) == 1


async def test_events_that_are_committed_early_are_handed_to_the_relay(sqlite_stack: PlumbingStack) -> None:
    context = ServiceContext("fees", sqlite_stack.database, sqlite_stack.clock, ThreadPoolExecutor())

    with pytest.raises(Refused):  # noqa: PT012
        async with context.work(INVALID_SPAN) as work:
            work.announce(a_settlement())
            await work.commit_so_far()
            raise Refused()

    assert len(context.to_publish.take(10, sqlite_stack.clock.now())) == 1
