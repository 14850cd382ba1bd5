"""Headers and reply subjects that another user of the bus has chosen stop no service, no client and no operator."""

import asyncio

import pytest
from nats.aio.client import Client

from cli.commands import bus as co_bus
from shared.bus.stream import STREAM, last_message
from shared.contracts import operations
from shared.contracts.certificates.issuing import CertificateSubmitted
from shared.contracts.fees import FeeSettled, RecordPayment
from tests.conftest import eventually
from tests.shared.operations.test_recovery import ask
from tests.shared.security.test_event_signatures import passed_over, where
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
BODIES = {"without a body": b"", "with a body": b"{}"}


async def publish(client: Client, subject: bytes, headers: bytes, body: bytes) -> None:
    """Publishes these headers as they are. nats-py writes only well-formed ones."""
    sizes = f"{len(headers)} {len(headers) + len(body)}".encode()
    await client._send_command(b"HPUB " + subject + b" " + sizes + b"\r\n" + headers + body + b"\r\n")
    await client._flush_pending()
    await client.flush()


@pytest.mark.parametrize("body", BODIES)
async def test_a_consumer_skips_them_and_the_operator_sees_them(
    sqlite_stack: PlumbingStack, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    stack, before = sqlite_stack, passed_over()
    jetstream = (await stack.client("operator")).jetstream()
    consumer = (await jetstream.consumer_info(STREAM, stack.service)).config
    consumer.ack_wait = 1  # the bus drops the messages behind one without headers and body, and delivers them again after that
    await jetstream.add_consumer(STREAM, consumer)
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
