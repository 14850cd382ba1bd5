"""Events in: each acts once, none is lost, and one that cannot be taken stands in nobody's way."""

import asyncio
import json
from collections import Counter
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import insert

from deploy.nats.stream import ACK_WAIT, set_up_bus
from shared.bus.connection import EVENT_ID_HEADER, TRACE_HEADER
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.database.tables import inbox, outbox
from shared.handling.work import Work
from shared.refusals import Refused, Unavailable
from shared.workers import retries
from tests.conftest import eventually
from tests.support.plumbing_stack import PlumbingStack, a_router, a_settlement, a_submission, keep, small
from tests.support.postgres import Postgres

SUBJECT = CertificateSubmitted.subject


async def all_done(stack: PlumbingStack) -> bool:
    return await stack.unacknowledged() == 0


def batches() -> tuple[float, float]:
    """How many transactions took events so far, and how many events they took."""
    return (
        REGISTRY.get_sample_value("co_event_batch_size_count") or 0.0,
        REGISTRY.get_sample_value("co_event_batch_size_sum") or 0.0,
    )


async def test_an_event_is_handled_once(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    event = a_submission()

    await sqlite_stack.publish(event)

    await eventually(lambda: all_done(sqlite_stack))
    assert await sqlite_stack.effects() == [str(event.certificate_id)]


async def test_the_same_event_put_on_the_stream_twice_acts_once(stack: PlumbingStack) -> None:
    await stack.replica()
    event, event_id = a_submission(), uuid4()
    for header in (str(event_id), str(event_id).upper()):
        # another header value defeats the duplicate window of the stream, as an hour would
        await stack.announce_bytes(SUBJECT, event.model_dump_json().encode(), event_id, **{EVENT_ID_HEADER: header})

    await eventually(lambda: all_done(stack))
    assert await stack.effects() == [str(event.certificate_id)]
    assert len(await stack.rows(inbox)) == 1


async def test_everything_redelivered_acts_once(stack: PlumbingStack) -> None:
    running = await stack.replica()
    events = [a_submission() for _ in range(30)]
    await stack.publish(*events)
    await eventually(lambda: all_done(stack))
    await running.stop()
    jetstream = (await stack.client("operator")).jetstream()
    await jetstream.delete_consumer("EVENTS", "fees")
    await set_up_bus(jetstream)
    assert await stack.unacknowledged() == 30

    await stack.replica()

    await eventually(lambda: all_done(stack))
    assert await stack.effects() == [str(event.certificate_id) for event in events]


async def test_an_event_and_its_redelivery_in_one_batch_act_once(stack: PlumbingStack) -> None:
    event, event_id = a_submission(), uuid4()
    for header in (str(event_id), str(event_id).upper(), f"{{{event_id}}}"):
        await stack.announce_bytes(SUBJECT, event.model_dump_json().encode(), event_id, **{EVENT_ID_HEADER: header})

    await stack.replica()

    await eventually(lambda: all_done(stack))
    assert await stack.effects() == [str(event.certificate_id)]


async def test_many_events_are_taken_in_one_transaction(stack: PlumbingStack) -> None:
    events = [a_submission() for _ in range(200)]
    await stack.publish(*events)
    before = batches()

    await stack.replica()

    await eventually(lambda: all_done(stack))
    transactions, taken = (now - then for now, then in zip(batches(), before, strict=True))
    assert taken == 200
    assert transactions <= 20
    assert await stack.effects() == [str(event.certificate_id) for event in events]


async def test_events_are_handled_in_the_order_of_the_stream(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    events = [a_submission() for _ in range(150)]

    await sqlite_stack.publish(*events)

    await eventually(lambda: all_done(sqlite_stack))
    assert await sqlite_stack.effects() == [str(event.certificate_id) for event in events]


def delays() -> float:
    """How often an event was put off so far."""
    samples = (sample for metric in REGISTRY.collect() for sample in metric.samples if sample.name == "co_events_total")
    return sum(sample.value for sample in samples if sample.labels["outcome"] == "delayed")


POISON: dict[str, tuple[bytes, dict[str, str]]] = {
    "a malformed body": (b"{}", {}),
    "no JSON": (b"\xff\x00", {}),
    "an empty body": (b"", {}),
    "a deep nest": (b"[" * 100_000, {}),
    "an endless trace": (b"{}", {TRACE_HEADER: "0" * 300}),
}


async def test_unreadable_events_among_good_ones_become_dead_letters_at_once(stack: PlumbingStack) -> None:
    good = [a_submission() for _ in POISON]
    for event, poison in zip(good, POISON.values(), strict=True):
        await stack.publish(event)
        body, headers = poison
        await stack.announce_bytes(SUBJECT, body, **headers)

    delayed = delays()

    await stack.replica()

    async def all_buried() -> bool:
        found = sorted((letter.kind, letter.name, letter.body) for letter in await stack.dead())
        assert found == sorted(("event", SUBJECT, body) for body, _ in POISON.values())
        return await all_done(stack)

    await eventually(all_buried)
    assert delays() == delayed
    assert sorted(await stack.effects()) == sorted(str(event.certificate_id) for event in good)


async def test_an_event_with_an_endless_trace_is_handled_nevertheless(stack: PlumbingStack) -> None:
    await stack.replica()

    await stack.publish(a_submission(), **{TRACE_HEADER: "0" * 300})

    await eventually(lambda: all_done(stack))
    assert len(await stack.effects()) == 1


async def test_an_event_that_nobody_here_knows_becomes_a_dead_letter(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    jetstream = (await stack.client("operator")).jetstream()
    config = (await jetstream.consumer_info("EVENTS", "fees")).config
    config.filter_subjects = [*config.filter_subjects, "evt.certificate.issued.v1"]
    await jetstream.add_consumer("EVENTS", config)
    await stack.replica()

    await stack.announce_bytes("evt.certificate.issued.v1", b"{}")

    await eventually(lambda: all_done(stack))
    (letter,) = await stack.dead()
    assert letter.name == "evt.certificate.issued.v1"
    assert "Unreadable" in letter.error


async def test_a_refusal_in_an_event_handler_is_a_dead_letter_at_once(sqlite_stack: PlumbingStack) -> None:
    poison, good, attempts = a_submission(), [a_submission() for _ in range(5)], Counter[UUID]()

    async def refuse(event: CertificateSubmitted, work: Work) -> None:
        await keep(work, event.certificate_id)
        work.announce(a_settlement(event.certificate_id))
        attempts[event.certificate_id] += 1
        if event == poison:
            raise Refused()

    await sqlite_stack.publish(*good[:2], poison, *good[2:])
    await sqlite_stack.replica(a_router(submitted=refuse))

    await eventually(lambda: all_done(sqlite_stack))
    assert sorted(await sqlite_stack.effects()) == sorted(str(event.certificate_id) for event in good)
    assert len(await sqlite_stack.rows(outbox)) == len(good)
    (letter,) = await sqlite_stack.dead()
    assert "refused: The request is refused." in letter.error
    assert attempts[poison.certificate_id] <= 2  # once with the others, once alone


async def test_a_bug_is_tried_five_times_and_then_a_dead_letter(sqlite_stack: PlumbingStack) -> None:
    stack: PlumbingStack = sqlite_stack
    attempts: list[float] = []

    async def fail(event: CertificateSubmitted, work: Work) -> None:
        await keep(work, "half")
        attempts.append(asyncio.get_running_loop().time())
        raise ZeroDivisionError

    await stack.replica(a_router(submitted=fail))
    (event_id,) = await stack.publish(a_submission())

    await eventually(lambda: all_done(stack), within=6)
    assert len(attempts) == 5
    pauses = [later - sooner for sooner, later in pairwise(attempts)]
    assert all(pause >= wanted * 0.9 for pause, wanted in zip(pauses, (0.2, 0.4, 0.8, 1.6), strict=True))
    assert await stack.effects() == []
    assert [letter.key for letter in await stack.dead()] == [str(event_id)]


async def times_of_attempts(stack: PlumbingStack, *errors: Exception) -> list[float]:
    """When an event was tried that fails in these ways and then does not: it acts once, and is no dead letter."""
    attempts: list[float] = []
    left = iter(errors)

    async def fail_first(event: CertificateSubmitted, work: Work) -> None:
        await keep(work, "once")
        attempts.append(asyncio.get_running_loop().time())
        if error := next(left, None):
            raise error

    await stack.replica(a_router(submitted=fail_first))
    await stack.publish(a_submission())

    await eventually(lambda: all_done(stack), within=6)
    assert await stack.effects() == ["once"]
    assert await stack.dead() == []
    return attempts


async def test_what_is_away_is_waited_for_and_never_a_dead_letter(sqlite_stack: PlumbingStack) -> None:
    attempts = await times_of_attempts(sqlite_stack, Unavailable("x"), TimeoutError(), ConnectionResetError())
    assert attempts[3] - attempts[0] >= 1.2


async def test_what_was_away_before_does_not_count_when_a_bug_comes(
    sqlite_stack: PlumbingStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "MAX_ATTEMPTS", 2)
    await times_of_attempts(sqlite_stack, Unavailable("x"), TimeoutError(), ZeroDivisionError())


async def test_one_event_that_waits_does_not_hold_up_the_others(stack: PlumbingStack) -> None:
    waits, good = a_submission(), [a_submission() for _ in range(20)]

    async def wait(event: CertificateSubmitted, work: Work) -> None:
        await asyncio.sleep(0.002)
        if event == waits:
            raise Unavailable("for ever")
        await keep(work, event.certificate_id)

    await stack.publish(*good[:10], waits, *good[10:])
    await stack.replica(a_router(submitted=wait))

    async def others_done() -> bool:
        return len(await stack.effects()) == len(good)

    await eventually(others_done)
    assert await stack.dead() == []


async def test_an_event_the_database_cannot_hold_becomes_a_dead_letter_and_holds_up_nobody(
    postgres_house: PlumbingStack,
) -> None:
    stack, good = postgres_house, [a_submission() for _ in range(10)]

    async def overflow(event: CertificateSubmitted, work: Work) -> None:
        await work.session.execute(insert(small).values(id=event.submission))
        await keep(work, event.certificate_id)

    events = [event.model_copy(update={"submission": number}) for number, event in enumerate(good)]
    await stack.publish(*events[:5], a_submission(submission=2**40), *events[5:])
    await stack.replica(a_router(submitted=overflow))

    await eventually(lambda: all_done(stack), within=8)
    assert len(await stack.effects()) == 10
    assert len(await stack.dead()) == 1


@pytest.mark.parametrize("message", ["a\x00b", "a\ud800b", "x" * 10_000], ids=["NUL", "surrogate", "long"])
async def test_an_error_with_a_strange_message_can_be_laid_among_the_dead_letters(stack: PlumbingStack, message: str) -> None:
    async def refuse(event: CertificateSubmitted, work: Work) -> None:
        raise Refused(message)

    delayed = delays()
    await stack.replica(a_router(submitted=refuse))
    await stack.publish(a_submission())

    await eventually(lambda: all_done(stack))
    assert len(await stack.dead()) == 1
    assert delays() == delayed


async def test_a_batch_with_one_failure_is_tried_one_by_one(stack: PlumbingStack) -> None:
    events = [a_submission() for _ in range(40)]
    fails, seen = events[20], Counter[UUID]()

    async def fail_once(event: CertificateSubmitted, work: Work) -> None:
        seen[event.certificate_id] += 1
        await keep(work, event.certificate_id)
        if event == fails and seen[event.certificate_id] <= 2:
            raise ZeroDivisionError

    await stack.publish(*events)
    await stack.replica(a_router(submitted=fail_once))

    await eventually(lambda: all_done(stack))
    assert sorted(await stack.effects()) == sorted(str(event.certificate_id) for event in events)
    assert await stack.dead() == []


async def test_events_and_their_inbox_rows_are_committed_together(stack: PlumbingStack) -> None:
    killed = []

    async def die_after_flush(event: CertificateSubmitted, work: Work) -> None:
        await keep(work, event.certificate_id)
        work.announce(a_settlement())
        await work.session.flush()
        if not killed:
            killed.append((await work.session.connection()).sync_connection)
            raise ConnectionResetError

    await stack.replica(a_router(submitted=die_after_flush))
    event = a_submission()
    await stack.publish(event)

    await eventually(lambda: killed)
    assert (await stack.rows(inbox), await stack.effects()) == ([], [])
    await eventually(lambda: all_done(stack))
    assert await stack.effects() == [str(event.certificate_id)]
    assert (len(await stack.rows(inbox)), len(await stack.rows(outbox))) == (1, 1)


async def test_events_wait_while_the_database_is_away(postgres_house: PlumbingStack, postgres: Postgres) -> None:
    await postgres_house.replica()
    with postgres.away():
        events = [a_submission() for _ in range(5)]
        await postgres_house.publish(*events)
        await asyncio.sleep(0.5)
        assert await postgres_house.unacknowledged() == 5

    await eventually(lambda: all_done(postgres_house), within=8)
    assert sorted(await postgres_house.effects()) == sorted(str(event.certificate_id) for event in events)
    assert await postgres_house.dead() == []


async def test_two_replicas_share_the_events_and_none_acts_twice(stack: PlumbingStack) -> None:
    by = Counter[str]()

    def router_of(name: str) -> Any:
        async def note(event: CertificateSubmitted, work: Work) -> None:
            by[name] += 1
            await keep(work, event.certificate_id)

        return a_router(submitted=note)

    await stack.replica(router_of("one"))
    await stack.replica(router_of("two"))
    events = [a_submission() for _ in range(150)]

    await stack.publish(*events)

    await eventually(lambda: all_done(stack))
    assert sorted(await stack.effects()) == sorted(str(event.certificate_id) for event in events)
    assert min(by["one"], by["two"]) > 0


@pytest.mark.slow
async def test_a_replica_that_stops_in_a_backlog_gives_the_rest_back_at_once(stack: PlumbingStack) -> None:
    async def slowly(event: CertificateSubmitted, work: Work) -> None:
        await asyncio.sleep(0.005)
        await keep(work, event.certificate_id)

    events = [a_submission() for _ in range(600)]
    await stack.publish(*events)
    running = await stack.replica(a_router(submitted=slowly))
    done_before = len(await stack.effects())

    await running.stop()

    assert len(await stack.effects()) - done_before <= 200
    assert len(await stack.effects()) < 600
    await stack.replica()
    await eventually(lambda: all_done(stack), within=ACK_WAIT / 4)
    assert sorted(await stack.effects()) == sorted(str(event.certificate_id) for event in events)


async def test_a_message_that_is_given_back_reaches_the_other_replica(sqlite_stack: PlumbingStack) -> None:
    stack, begun = sqlite_stack, asyncio.Event()

    async def slowly(event: CertificateSubmitted, work: Work) -> None:
        begun.set()
        await asyncio.sleep(0.01)
        await keep(work, event.certificate_id)

    first = await stack.replica(a_router(submitted=slowly))
    events = [a_submission() for _ in range(60)]
    await stack.publish(*events)
    await begun.wait()
    second = await stack.replica()
    await asyncio.gather(first.stop(), eventually(lambda: all_done(stack), within=6))

    assert not second.serving.done()
    assert len(await stack.effects()) == 60


async def test_an_event_with_fields_of_a_later_release_is_taken(sqlite_stack: PlumbingStack) -> None:
    await sqlite_stack.replica()
    body = json.loads(a_submission().model_dump_json()) | {"since_v1_1": {"x": 1}}

    await sqlite_stack.announce_bytes(SUBJECT, json.dumps(body).encode())

    await eventually(lambda: all_done(sqlite_stack))
    assert len(await sqlite_stack.effects()) == 1


async def test_events_go_on_after_the_bus_was_restarted(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    await stack.replica()
    await stack.publish(a_submission())
    await eventually(lambda: all_done(stack))

    await stack.bus.kill()
    await stack.bus.start()
    await eventually(lambda: stack.publish(a_submission()), within=8)

    async def both_done() -> bool:
        return len(await stack.effects()) == 2

    await eventually(both_done, within=8)
