"""Services use the bus with the permissions of this release, on a real server."""

import asyncio

import nats
import pytest

from shared.bus.connection import inbox_prefix
from shared.bus.pull_consumer import PullConsumer
from shared.bus.stream import STREAM
from shared.contracts.index import events, events_heard_by, owner_of
from tests.conftest import eventually
from tests.deploy.conftest import Bus


async def test_a_service_replies_once_to_a_request_and_to_no_other_user(bus: Bus) -> None:
    async with bus.user("fees") as fees, bus.user("operator") as operator:
        requests = await fees.client.subscribe("ops.fees.ask-lag.v1", "fees")
        await fees.settle()
        answer = asyncio.create_task(operator.client.request("ops.fees.ask-lag.v1", b"{}", timeout=5))
        request = await requests.next_msg(5)
        assert not await fees.may_publish(f"{inbox_prefix('operator')}.another")
        assert await fees.may_publish(request.reply)
        assert (await answer).data == b"{}"
        assert not await fees.may_publish(request.reply)


async def test_a_service_receives_returns_and_acknowledges_its_events(bus: Bus) -> None:
    deliveries = []
    async with bus.user("fees") as fees, bus.user("certificates") as certificates, bus.user("operator") as operator:
        consumer = PullConsumer(fees.client, "fees")
        await consumer.open()
        subject = next(event.subject for event in events_heard_by("fees") if owner_of(event) == "certificates")
        sent = await certificates.client.jetstream().publish(subject, b"{}", stream=STREAM, timeout=5)
        while len(deliveries) < 2:
            for message in await consumer.next_events():
                deliveries.append(message.metadata.num_delivered)
                await (message.ack() if message.metadata.num_delivered > 1 else message.nak(delay=0.01))

        async def acknowledged() -> bool:
            info = await operator.client.jetstream().consumer_info(STREAM, "fees")
            return info.ack_floor.stream_seq >= sent.seq

        await eventually(acknowledged)
    assert deliveries == [1, 2]


async def test_accounts_of_countries_share_nothing(bus: Bus) -> None:
    event = next(event for event in events() if owner_of(event) == "gateway")
    async with bus.user("gateway", "VN") as abroad, bus.user("gateway") as home, bus.user("operator") as operator:
        before = (await operator.client.jetstream().stream_info(STREAM)).state.messages
        await abroad.client.jetstream().publish(event.subject, b"{}", stream=STREAM)
        assert (await operator.client.jetstream().stream_info(STREAM)).state.messages == before
        await home.client.jetstream().publish(event.subject, b"{}", stream=STREAM)
        assert (await operator.client.jetstream().stream_info(STREAM)).state.messages == before + 1


async def test_a_client_without_a_seed_is_refused(bus: Bus) -> None:
    with pytest.raises(nats.errors.Error, match="Authorization"):
        await nats.connect(bus.url, allow_reconnect=False)
