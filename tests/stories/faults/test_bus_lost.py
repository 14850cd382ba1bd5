"""The bus is replaceable: it may die, forget everything, or repeat and disorder what it carries."""

import asyncio
import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from cli.commands.bus import republish
from shared.bus.connection import EVENT_ID_HEADER
from shared.bus.stream import STREAM
from shared.contracts import operations
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.security.event_signatures import EventKeys, examine_stream
from tests.conftest import eventually
from tests.support.example_messages import example_of
from tests.support.load import NO_FAULTS, PARTNER, Load, TwiceClient


async def test_the_whole_data_of_nats_is_deleted_and_rebuilt_from_what_the_services_keep(
    load: Load, many: int, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = load.system.stack
    travelling = asyncio.create_task(load.send(many))
    await load.in_flight.wait()
    await asyncio.sleep(1)

    await stack.stop("nats")
    shutil.rmtree(stack.root / "nats" / "store")
    await stack.start("nats")
    await republish(where=load.where)
    await republish(where=load.at(PARTNER))
    await travelling

    assert "events were missing and are published again" in capsys.readouterr().out
    await load.must_have_arrived()


async def test_republishing_while_the_stream_is_whole_changes_nothing_and_says_so(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    await load.must_have_arrived()
    before = await _stream_length(load)

    await republish(where=load.where)

    assert "Nothing is missing: the stream holds all" in capsys.readouterr().out
    assert await _stream_length(load) == before


@pytest.mark.slow
async def test_every_event_comes_twice_in_any_order_and_every_command_twice_at_once(
    load: Load, many: int, tmp_path: Path
) -> None:
    await load.become_faulty(tmp_path, lambda name: ("twice", "shuffled"))
    stack = load.system.stack
    async with await TwiceClient.connect("portal", stack.nats_url, stack.seed("portal"), patience=60) as twice:
        nervous = load.asking_through(twice)

        await nervous.send(many)

        load.sent += many
        assert twice.repeated >= 5 * many
    await load.must_have_arrived()
    await load.become_faulty(tmp_path, NO_FAULTS)


@pytest.mark.slow
async def test_a_poison_message_among_good_ones_is_laid_aside_and_holds_nobody_up(load: Load, many: int) -> None:
    client = await load.system.on_the_bus_as("certificates")
    jetstream, subject = client.jetstream(), CertificateSubmitted.subject
    example = example_of(CertificateSubmitted).model_dump(mode="json")
    poison = [b"\xff\x00{", b"{}", b"[" * 100_000, json.dumps(example | {"goods": "none"}).encode()]

    travelling = asyncio.create_task(load.send(many))
    await load.in_flight.wait()
    for body in poison:
        await load.system.announce_bytes("certificates", subject, body)
    for headers in ({EVENT_ID_HEADER: str(uuid4())}, {EVENT_ID_HEADER: "no id"}):  # passed over: nobody has signed them
        await jetstream.publish(subject, json.dumps(example).encode(), headers=headers)
    await travelling
    await client.close()

    async def laid_aside() -> list[operations.DeadLetter]:
        letters: operations.DeadLetters = await load.system.operator.ask(operations.ListDeadLetters(), service="fees")
        return list(letters.letters) if len(letters.letters) == len(poison) else []

    letters = await eventually(laid_aside, within=20)
    assert {letter.name for letter in letters} == {subject}
    assert all(letter.error for letter in letters)
    for letter in letters:
        discard = operations.DiscardDeadLetter(id=letter.id, because="a test laid it on the stream")
        await load.system.operator.ask(discard, service="fees")
    await load.must_have_arrived()


async def _stream_length(load: Load) -> int:
    client = await load.system.on_the_bus_as("operator")
    info = await client.jetstream().stream_info(STREAM)
    ids, others = await examine_stream(client.jetstream(), EventKeys(load.system.stack.event_keys_file()))
    await client.close()
    assert len(ids) + len(others) == info.state.messages
    return info.state.messages
