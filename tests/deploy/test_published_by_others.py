"""A user of the bus tries to let the server or a service publish for it. No way puts an event into the stream.

Decision 0018 has the same list with the measure against each.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise

import nats
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError
from nats.nuid import BASE, DIGITS, SEQ_LENGTH

from shared.bus.connection import connect, inbox_prefix
from shared.bus.stream import STREAM, about_consumer_subject, last_event_subject, next_events_subject
from shared.contracts.certificates.issuing import CertificateIssued, CertificateSubmitted
from shared.contracts.fees import FeeSettled
from shared.contracts.gateway.transmissions import TransmissionAdvanced
from shared.contracts.registry.identity import SigningKeyPublished
from tests.deploy.conftest import Bus, User

OWN, RECEIVED, COMMAND = CertificateSubmitted.subject, FeeSettled.subject, "cmd.payment.record.v1"
TARGETS = (SigningKeyPublished.subject, TransmissionAdvanced.subject)
NEXT = json.dumps({"batch": 1, "no_wait": True}).encode()
FORGED = b'{"certificate_id":"00000000-0000-4000-8000-0000000000ce"}'


async def direct_get(attacker: User, target: str) -> None:
    await attacker.client.publish(last_event_subject(OWN), b"", target)


async def next_message(attacker: User, target: str) -> None:
    await attacker.client.publish(next_events_subject("certificates"), NEXT, target)


async def consumer_info(attacker: User, target: str) -> None:
    await attacker.client.publish(about_consumer_subject("certificates"), b"", target)


async def acknowledgement_of_a_publish(attacker: User, target: str) -> None:
    await attacker.client.publish(OWN, FORGED, target)


async def _a_delivered_event(attacker: User) -> Msg:
    """The next event of the attacker's own consumer."""
    inbox = await attacker.client.subscribe(attacker.client.new_inbox())
    await attacker.client.publish(next_events_subject("certificates"), NEXT, inbox.subject)
    return await inbox.next_msg(5)


async def acknowledgement_that_asks_for_the_next(attacker: User, target: str) -> None:
    message = await _a_delivered_event(attacker)
    await attacker.client.publish(message.reply, b"+NXT " + NEXT, target)


async def acknowledgement_with_a_reply(attacker: User, target: str) -> None:
    message = await _a_delivered_event(attacker)
    await attacker.client.publish(message.reply, b"+ACK", target)


async def message_trace(attacker: User, target: str) -> None:
    await attacker.client.publish(OWN, FORGED, headers={"Nats-Trace-Dest": target})


async def schedule(attacker: User, target: str) -> None:
    headers = {"Nats-Schedule": "@every 1s", "Nats-Schedule-Target": target}
    await attacker.client.publish(OWN, FORGED, headers=headers)


async def push_consumer(attacker: User, target: str) -> None:
    config = {"stream_name": STREAM, "config": {"deliver_subject": target, "ack_policy": "none", "deliver_policy": "all"}}
    await attacker.client.publish(f"$JS.API.CONSUMER.CREATE.{STREAM}", json.dumps(config).encode())


async def mirror_that_republishes(attacker: User, target: str) -> None:
    config = {"name": "COPY", "mirror": {"name": STREAM}, "republish": {"src": ">", "dest": target}}
    await attacker.client.publish("$JS.API.STREAM.CREATE.COPY", json.dumps(config).encode())


async def source_that_transforms(attacker: User, target: str) -> None:
    transforms = [{"src": OWN, "dest": target}]
    config = {"name": "COPY", "sources": [{"name": STREAM, "subject_transforms": transforms}]}
    await attacker.client.publish("$JS.API.STREAM.CREATE.COPY", json.dumps(config).encode())


async def stream_that_is_changed(attacker: User, target: str) -> None:
    config = {"name": STREAM, "subjects": ["evt.>"], "subject_transform": {"src": OWN, "dest": target}}
    await attacker.client.publish(f"$JS.API.STREAM.UPDATE.{STREAM}", json.dumps(config).encode())


WAYS: dict[str, Callable[[User, str], Awaitable[None]]] = {
    way.__name__: way
    for way in (
        direct_get,
        next_message,
        consumer_info,
        acknowledgement_of_a_publish,
        acknowledgement_that_asks_for_the_next,
        acknowledgement_with_a_reply,
        message_trace,
        schedule,
        push_consumer,
        mirror_that_republishes,
        source_that_transforms,
        stream_that_is_changed,
    )
}


async def _stored(operator: User, subject: str) -> int:
    info = await operator.client.jetstream().stream_info(STREAM, subjects_filter=subject)
    return (info.state.subjects or {}).get(subject, 0)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("way", WAYS)
async def test_the_server_puts_no_event_into_the_stream_for_a_user(bus: Bus, way: str, target: str) -> None:
    async with bus.user("certificates") as attacker, bus.user("fees") as fees, bus.user("operator") as operator:
        jetstream = attacker.client.jetstream()
        await jetstream.publish(OWN, FORGED)
        await fees.client.jetstream().publish(RECEIVED, FORGED)
        before = await _stored(operator, target)

        await WAYS[way](attacker, target)
        await attacker.settle()
        for _ in range(3):  # these answers come after everything that the server still does for the attacker
            await jetstream.publish(OWN, FORGED)

        assert await _stored(operator, target) == before


@pytest.mark.parametrize("way", WAYS)
async def test_the_server_makes_no_request_that_a_service_would_answer(bus: Bus, way: str) -> None:
    """A message that the server sends to a command's subject has no reply inbox of a client. Services skip it."""
    async with bus.user("certificates") as attacker, bus.user("fees") as fees:
        await attacker.client.jetstream().publish(OWN, FORGED)
        await fees.client.jetstream().publish(RECEIVED, FORGED)
        requests = await fees.client.subscribe(COMMAND, "fees")
        await fees.settle()

        await WAYS[way](attacker, COMMAND)
        await attacker.settle()

        replies = []
        while True:
            try:
                replies.append((await requests.next_msg(0.2)).reply)
            except (NatsError, TimeoutError):
                break
        assert [reply for reply in replies if reply.startswith("_INBOX_portal.")] == []


@pytest.mark.parametrize("header", [{"Nats-Rollup": "all"}, {"Nats-Rollup": "sub"}, {"Nats-TTL": "1s"}, {"Nats-Incr": "1"}])
async def test_no_header_of_a_publisher_removes_what_the_stream_holds(bus: Bus, header: dict[str, str]) -> None:
    async with bus.user("certificates") as attacker, bus.user("fees") as fees, bus.user("operator") as operator:
        await fees.client.jetstream().publish(RECEIVED, FORGED)
        await attacker.client.jetstream().publish(OWN, FORGED)
        before = (await operator.client.jetstream().stream_info(STREAM)).state

        with pytest.raises(APIError):
            await attacker.client.jetstream().publish(OWN, b"1", headers=header)

        after = (await operator.client.jetstream().stream_info(STREAM)).state
        assert (after.messages, after.first_seq) == (before.messages, before.first_seq)


async def test_a_reply_to_the_subject_of_an_event_is_stored_unsigned(bus: Bus) -> None:
    """The bus cannot prevent this if two seeds are stolen, a service's and the portal's. No consumer accepts the event."""
    async with bus.user("portal") as portal, bus.user("fees") as fees, bus.user("operator") as operator:
        requests = await fees.client.subscribe(COMMAND, "fees")
        await fees.settle()
        await portal.client.publish(COMMAND, b"{}", CertificateIssued.subject)
        await (await requests.next_msg(5)).respond(FORGED)
        await fees.settle()
        stored = await operator.client.jetstream().get_last_msg(STREAM, CertificateIssued.subject)
        assert (stored.data, stored.headers) == (FORGED, None)


def predicted(seen: list[str]) -> set[str]:
    """The next inboxes of a client of nats-py without their last four characters: it adds a constant to the former number."""
    digits, stems = DIGITS.decode(), [each[:-4] for each in seen]
    numbers = [sum(digits.index(c) * BASE**place for place, c in enumerate(reversed(each[-SEQ_LENGTH:]))) for each in stems]
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    following = (numbers[-1] + step * times for step in steps for times in range(1, 4))
    written = ("".join(digits[number // BASE**place % BASE] for place in reversed(range(SEQ_LENGTH))) for number in following)
    return {stems[-1][:-SEQ_LENGTH] + each for each in written}


@pytest.mark.parametrize("client", ["ours", "nats-py's"])
async def test_a_service_cannot_compute_the_inbox_of_a_request_to_another(bus: Bus, client: str) -> None:
    """Else it lets the server put a message there, in place of the answer: the bus checks no reply subject.

    nats-py adds only 16 random bits. A stolen service found the inbox after 60,502 attempts, in 5 s.
    """
    seed, inboxes = bus.secrets.seed("KH", "portal").read_text(), inbox_prefix("portal")
    if client == "ours":
        portal: Client = await connect("portal", bus.url, seed)
    else:
        portal = await nats.connect(bus.url, nkeys_seed_str=seed, inbox_prefix=inboxes.encode())
    async with bus.user("certificates") as attacker, bus.user("fees") as fees:
        own = await attacker.client.subscribe("qry.certificate.get.v1", "certificates")
        others = await fees.client.subscribe("qry.invoice.get.v1", "fees")
        await asyncio.gather(attacker.settle(), fees.settle())
        seen = []
        for _ in range(3):
            answer = asyncio.create_task(portal.request("qry.certificate.get.v1", b"{}", timeout=5))
            request = await own.next_msg(5)
            seen.append(request.reply)
            await request.respond(b"{}")
            await answer

        answer = asyncio.create_task(portal.request("qry.invoice.get.v1", b"{}", timeout=5))
        request = await others.next_msg(5)
        await request.respond(b"genuine")

        assert request.reply.startswith(tuple(predicted(seen))) == (client == "nats-py's")
        assert (await answer).data == b"genuine"
    await portal.close()
