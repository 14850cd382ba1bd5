"""The bus is replaceable: it may fail, lose all data, or deliver duplicates in any order."""

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


@pytest.mark.slow
async def test_all_data_of_nats_is_deleted_and_rebuilt_from_the_outboxes(
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
    await load.check_arrival()


@pytest.mark.slow
async def test_republishing_a_complete_stream_changes_nothing(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    await load.check_arrival()
    before = await _stream_length(load)

    await republish(where=load.where)

    assert "Nothing is missing: the stream contains all" in capsys.readouterr().out
    assert await _stream_length(load) == before


@pytest.mark.slow
async def test_every_event_is_delivered_twice_in_any_order_and_every_command_sent_twice_at_once(
    load: Load, many: int, tmp_path: Path
) -> None:
    await load.set_faults(tmp_path, lambda name: ("twice", "shuffled"))
    stack = load.system.stack
    async with await TwiceClient.connect("portal", stack.nats_url, stack.seed("portal"), patience=180) as twice:
        repeating = load.with_client(twice)

        await repeating.send(many)

        load.sent += many
        assert twice.repeated >= 5 * many
    await load.check_arrival()
    await load.set_faults(tmp_path, NO_FAULTS)


@pytest.mark.slow
async def test_a_poison_message_becomes_a_dead_letter_and_the_others_are_processed(load: Load, many: int) -> None:
    client = await load.system.connection_of("certificates")
    jetstream, subject = client.jetstream(), CertificateSubmitted.subject
    example = example_of(CertificateSubmitted).model_dump(mode="json")
    poison = [b"\xff\x00{", b"{}", b"[" * 100_000, json.dumps(example | {"goods": "none"}).encode()]

    travelling = asyncio.create_task(load.send(many))
    await load.in_flight.wait()
    for body in poison:
        await load.system.announce_bytes("certificates", subject, body)
    for headers in ({EVENT_ID_HEADER: str(uuid4())}, {EVENT_ID_HEADER: "no id"}):  # skipped, because they are not signed
        await jetstream.publish(subject, json.dumps(example).encode(), headers=headers)
    await travelling
    await client.close()

    async def found() -> list[operations.DeadLetter]:
        answer: operations.DeadLetters = await load.system.operator.ask(operations.ListDeadLetters(), service="fees")
        return list(answer.letters) if len(answer.letters) == len(poison) else []

    dead_letters = await eventually(found, within=20)
    assert {letter.name for letter in dead_letters} == {subject}
    assert all(letter.error for letter in dead_letters)
    for letter in dead_letters:
        discard = operations.DiscardDeadLetter(id=letter.id, because="a test published it")
        await load.system.operator.ask(discard, service="fees")
    await load.check_arrival()


async def _stream_length(load: Load) -> int:
    client = await load.system.connection_of("operator")
    info = await client.jetstream().stream_info(STREAM)
    ids, others = await examine_stream(client, EventKeys(load.system.stack.event_keys_file()))
    await client.close()
    assert len(ids) + len(others) == info.state.messages
    return info.state.messages
