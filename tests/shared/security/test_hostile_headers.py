"""Headers and reply subjects that another user of the bus has chosen stop no service, no client and no operator."""

import asyncio
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nats.aio.client import Client

from cli.commands import bus as co_bus
from shared.bus.stream import STREAM, JetStream, last_message
from shared.contracts import operations
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.contracts.fees import FeeSettled, RecordPayment
from tests.conftest import eventually
from tests.shared.operations.test_recovery import ask
from tests.shared.security.test_event_signatures import passed_over, where
from tests.support.fuzzing import examples
from tests.support.plumbing_stack import PlumbingStack, a_payment, a_submission

LINE = b"NATS/1.0"
HEADERS = {
    "no line of a version": b"\r\n\r\n",
    "a part of the line": b"N",
    "only the line": LINE,
    "a status that is no number": LINE + b" \xff\xff\xff\r\n\r\n",
    "a description in no encoding": LINE + b" 404 \xff\xff\r\n\r\n",
    "a status of the server": LINE + b" 404\r\n\r\n",
    "a heartbeat of the server": LINE + b" 100 Idle Heartbeat\r\n\r\n",
    "a header with a status 404": LINE + b"\r\nStatus: 404\r\n\r\n",
    "a header with a status 500": LINE + b"\r\nStatus: 500\r\n\r\n",
    "a header with a status 503": LINE + b"\r\nStatus: 503\r\n\r\n",
    "headers of the server": LINE + b"\r\nNats-Time-Stamp: x\r\nNats-Sequence: y\r\nNats-Subject: z\r\n\r\n",
    "names in no encoding": LINE + b"\r\n\xff\xff: \xff\r\n\x00\r\n\r\n",
    "no end": LINE + b"\r\nA: b",
}
NAMES = ["Nats-Msg-Id", "Co-Key", "Co-Signature", "traceparent", "Status", "Description", "Nats-Sequence", "Nats-Time-Stamp"]
NAMES += [
    "Nats-Rollup",
    "Nats-TTL",
    "Nats-Incr",
    "Nats-Expected-Last-Sequence",
    "Nats-Schedule",
    "Nats-Trace-Dest",
    "Nats-Batch-Id",
]
BODIES = {"without a body": b"", "with a body": b"{}"}


async def publish(client: Client, subject: bytes, headers: bytes, body: bytes) -> None:
    """Publishes these headers as they are. nats-py writes only well-formed ones."""
    sizes = f"{len(headers)} {len(headers) + len(body)}".encode()
    await client._send_command(b"HPUB " + subject + b" " + sizes + b"\r\n" + headers + body + b"\r\n")
    await client._flush_pending()
    await client.flush()


async def deliver_again_after_a_second(stack: PlumbingStack) -> JetStream:
    """The bus drops the messages behind one without headers and body, and delivers them again after the ack wait."""
    jetstream = (await stack.client("operator")).jetstream()
    consumer = (await jetstream.consumer_info(STREAM, stack.service)).config
    consumer.ack_wait = 1
    await jetstream.add_consumer(STREAM, consumer)
    return jetstream


@pytest.mark.parametrize("body", BODIES)
async def test_a_consumer_skips_them_and_the_operator_sees_them(
    sqlite_stack: PlumbingStack, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    stack, before = sqlite_stack, passed_over()
    jetstream = await deliver_again_after_a_second(stack)
    await stack.replica()
    thief = await stack.client("certificates")
    for headers in HEADERS.values():
        await publish(thief, CertificateSubmitted.subject.encode(), headers, BODIES[body])
    good = a_submission()
    await stack.publish(good)

    await eventually(lambda: _has_effects(stack), within=20)
    assert await stack.effects() == [str(good.certificate_id)]
    stored = (await jetstream.stream_info(STREAM)).state.messages
    assert stored >= len(HEADERS)  # the server keeps no empty heartbeat
    assert passed_over() - before == stored - 1
    assert await co_bus.check(where=where(stack)) == 1
    assert f"1 events are genuine, {stored - 1} messages are not." in capsys.readouterr().out


async def _has_effects(stack: PlumbingStack) -> bool:
    return await stack.effects() != [] and await stack.unacknowledged() == 0


async def test_the_last_message_of_a_subject_is_read_whatever_headers_it_has(sqlite_stack: PlumbingStack) -> None:
    thief = await sqlite_stack.client("fees")
    jetstream = (await sqlite_stack.client("operator")).jetstream()
    for headers in HEADERS.values():
        for body in BODIES.values():
            await publish(thief, FeeSettled.subject.encode(), headers, body)

            async def is_read() -> bool:
                stored = (await jetstream.stream_info(STREAM)).state.last_seq
                last = await last_message(thief, FeeSettled.subject)
                return last is not None and last.sequence == stored

            assert await eventually(is_read)


@pytest.mark.parametrize("headers", ["a header with a status 500", "a header with a status 503", "no line of a version"])
async def test_a_service_starts_whatever_headers_its_last_event_has(sqlite_stack: PlumbingStack, headers: str) -> None:
    await publish(await sqlite_stack.client("fees"), FeeSettled.subject.encode(), HEADERS[headers], b"")

    await asyncio.wait_for(sqlite_stack.replica(), 10)

    assert not (await ask(sqlite_stack, operations.AskRecovery())).recovering


LINES = st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30), max_size=4)
FORGED = st.tuples(
    st.sampled_from(list(HEADERS.values()))
    | st.binary(max_size=40).map(lambda rest: LINE + b"\r\n" + rest)
    | LINES.map(lambda lines: written(lines)),
    st.sampled_from([b"", b"{}", b"\xff", a_submission().model_dump_json().encode()]) | st.binary(max_size=60),
    st.booleans(),
)
"""Headers, a body, and whether the service that owns the subject has signed them."""


def written(lines: dict[str, str]) -> bytes:
    """Headers as they are sent."""
    return LINE + b"\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode() + b"\r\n"


@pytest.mark.fuzz
async def test_whatever_lies_in_the_stream_the_next_genuine_event_acts_once(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    await deliver_again_after_a_second(stack)
    await stack.replica()
    signer, loop = stack.bus.signer("certificates"), asyncio.get_running_loop()

    async def try_out(forged: list[tuple[bytes, bytes, bool]]) -> None:
        thief = await stack.bus.client("certificates")
        for headers, body, signed in forged:
            if signed:
                of_owner = written(signer.headers(CertificateSubmitted.subject, uuid4(), body))
                headers = of_owner.removesuffix(b"\r\n") + headers[len(LINE) + 2 :]
            await publish(thief, CertificateSubmitted.subject.encode(), headers, body)
        good = a_submission()
        await stack.publish(good)
        await eventually(lambda: _acted_once(stack, str(good.certificate_id)), within=30)
        await thief.close()

    @settings(max_examples=examples(15, 1_500), suppress_health_check=list(HealthCheck))
    @given(st.lists(FORGED, max_size=3))
    def all_of(forged: list[tuple[bytes, bytes, bool]]) -> None:
        asyncio.run_coroutine_threadsafe(try_out(forged), loop).result()

    await asyncio.to_thread(all_of)


async def _acted_once(stack: PlumbingStack, certificate_id: str) -> bool:
    return (await stack.effects()).count(certificate_id) == 1 and await stack.unacknowledged() == 0


async def test_a_service_answers_the_next_request_at_once(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    await stack.replica()
    thief = await stack.client("portal")
    for reply in (b"_INBOX_portal.x", b"_INBOX_portal.\xff"):
        for headers in HEADERS.values():
            await publish(thief, RecordPayment.subject.encode() + b" " + reply, headers, b"{}")

    await (await stack.asker(patience=2)).ask(a_payment(), token=stack.token())


async def test_an_answer_with_such_headers_stops_no_client(sqlite_stack: PlumbingStack) -> None:
    stack = sqlite_stack
    portal, thief = await stack.client("portal"), await stack.client("fees")
    requests = await thief.subscribe(RecordPayment.subject, "fees")
    await thief.flush()
    for headers in HEADERS.values():
        asked = asyncio.create_task(portal.request(RecordPayment.subject, b"{}", timeout=2))
        await publish(thief, (await requests.next_msg(2)).reply.encode(), headers, b"{}")
        await asyncio.gather(asked, return_exceptions=True)
        assert not isinstance(asked.exception(), TimeoutError)
