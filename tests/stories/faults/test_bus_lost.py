"""The bus is replaceable: it may die, forget everything, or repeat and disorder what it carries."""

import asyncio
import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from cli.bus import republish
from shared.bus.connection import EVENT_ID_HEADER
from shared.bus.stream import STREAM
from shared.contracts import operations
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.security.event_signatures import EventKeys, examine_stream
from tests.conftest import eventually
from tests.example_messages import example_of
from tests.stories.faults.crowd import NO_FAULTS, PARTNER, Crowd, TwiceAsker


async def test_the_whole_data_of_nats_is_deleted_and_rebuilt_from_what_the_services_keep(
    crowd: Crowd, many: int, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = crowd.nation.stack
    travelling = asyncio.create_task(crowd.send(many))
    await crowd.in_flight.wait()
    await asyncio.sleep(1)

    await stack.stop("nats")
    shutil.rmtree(stack.root / "nats" / "store")
    await stack.start("nats")
    await republish(where=crowd.where)
    await republish(where=crowd.at(PARTNER))
    await travelling

    assert "events were missing and are published again" in capsys.readouterr().out
    await crowd.must_have_arrived()


async def test_republishing_while_the_stream_is_whole_changes_nothing_and_says_so(
    crowd: Crowd, capsys: pytest.CaptureFixture[str]
) -> None:
    await crowd.must_have_arrived()
    before = await _stream_length(crowd)

    await republish(where=crowd.where)

    assert "Nothing is missing: the stream holds all" in capsys.readouterr().out
    assert await _stream_length(crowd) == before


@pytest.mark.slow
async def test_every_event_comes_twice_in_any_order_and_every_command_twice_at_once(
    crowd: Crowd, many: int, tmp_path: Path
) -> None:
    await crowd.become_faulty(tmp_path, lambda name: ("twice", "shuffled"))
    stack = crowd.nation.stack
    async with await TwiceAsker.connect("portal", stack.nats_url, stack.seed("portal"), patience=60) as twice:
        nervous = crowd.asking_through(twice)

        await nervous.send(many)

        crowd.sent += many
        assert twice.repeated >= 5 * many
    await crowd.must_have_arrived()
    await crowd.become_faulty(tmp_path, NO_FAULTS)


@pytest.mark.slow
async def test_a_poison_message_among_good_ones_is_laid_aside_and_holds_nobody_up(crowd: Crowd, many: int) -> None:
    client = await crowd.nation.on_the_bus_as("certificates")
    jetstream, subject = client.jetstream(), CertificateSubmitted.subject
    example = example_of(CertificateSubmitted).model_dump(mode="json")
    poison = [b"\xff\x00{", b"{}", b"[" * 100_000, json.dumps(example | {"goods": "none"}).encode()]

    travelling = asyncio.create_task(crowd.send(many))
    await crowd.in_flight.wait()
    for body in poison:
        await crowd.nation.announce_bytes("certificates", subject, body)
    for headers in ({EVENT_ID_HEADER: str(uuid4())}, {EVENT_ID_HEADER: "no id"}):  # passed over: nobody has signed them
        await jetstream.publish(subject, json.dumps(example).encode(), headers=headers)
    await travelling
    await client.close()

    async def laid_aside() -> list[operations.DeadLetter]:
        letters: operations.DeadLetters = await crowd.nation.operator.ask(operations.ListDeadLetters(), service="fees")
        return list(letters.letters) if len(letters.letters) == len(poison) else []

    letters = await eventually(laid_aside, within=20)
    assert {letter.name for letter in letters} == {subject}
    assert all(letter.error for letter in letters)
    for letter in letters:
        discard = operations.DiscardDeadLetter(id=letter.id, because="a test laid it on the stream")
        await crowd.nation.operator.ask(discard, service="fees")
    await crowd.must_have_arrived()


async def _stream_length(crowd: Crowd) -> int:
    client = await crowd.nation.on_the_bus_as("operator")
    info = await client.jetstream().stream_info(STREAM)
    ids, others = await examine_stream(client.jetstream(), EventKeys(crowd.nation.stack.event_keys_file()))
    await client.close()
    assert len(ids) + len(others) == info.state.messages
    return info.state.messages
