"""What each user of the bus must be able to do, and what it must be refused, tried on a real server."""

import asyncio
from pathlib import Path

import pytest
from conftest import Bus
from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage

from deploy.nats.permissions import FILE, USERS, rendered
from shared.bus import ACK_WAIT, STREAM, broker_of, connect, deliver_subject, inbox_prefix
from shared.contracts.catalogue import SERVICES, contracts, events, events_heard_by, owner_of
from shared.contracts.kinds import Event
from shared.contracts.ops import OPERATIONS
from shared.settings import Settings

OPERATOR_ONLY = (
    "$JS.API.STREAM.INFO.EVENTS",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.CREATE.OTHER",
    "$JS.API.STREAM.UPDATE.OTHER",
    "$JS.API.STREAM.PURGE.OTHER",
    "$JS.API.STREAM.DELETE.OTHER",
    "$JS.API.STREAM.MSG.GET.OTHER",
    "$JS.API.STREAM.MSG.DELETE.OTHER",
    "$JS.API.DIRECT.GET.OTHER",
    "$JS.API.CONSUMER.CREATE.OTHER",
    "$JS.API.CONSUMER.CREATE.OTHER.fees",
    "$JS.API.CONSUMER.DURABLE.CREATE.OTHER.fees",
    "$JS.API.CONSUMER.DELETE.OTHER.fees",
    "$JS.API.CONSUMER.MSG.NEXT.OTHER.fees",
    "$JS.API.CONSUMER.PAUSE.OTHER.fees",
)
NOBODY = ("$SYS.REQ.SERVER.PING", "anything", *(f"{inbox_prefix(user)}.x" for user in USERS), *map(deliver_subject, SERVICES))


def who_may_publish() -> dict[str, set[str]]:
    """Every subject and the users that may publish to it, from the meaning of the contracts."""
    may: dict[str, set[str]] = {subject: set() for subject in NOBODY}
    may |= {subject: {"operator"} for subject in OPERATOR_ONLY}
    for kind in contracts():
        may[kind.subject] = {owner_of(kind)} if issubclass(kind, Event) else {"portal"}
    for service in SERVICES:
        may |= {kind.subject.format(service=service): {"operator"} for kind in OPERATIONS}
        may[f"$JS.API.CONSUMER.INFO.{STREAM}.{service}"] = {service, "operator"}
        may[f"$JS.ACK.{STREAM}.{service}.1.1.1.1.1"] = {service}
    return may


def who_may_subscribe() -> dict[str, set[str]]:
    """Every subject and the users that may subscribe to it in a queue of their own name."""
    may = {f"{inbox_prefix(user)}.>": {user} for user in USERS}
    may |= {deliver_subject(service): {service} for service in SERVICES}
    for kind in contracts():
        may[kind.subject] = set() if issubclass(kind, Event) else {owner_of(kind)}
    for service in SERVICES:
        may |= {kind.subject.format(service=service): {service} for kind in OPERATIONS}
    nobody = (">", "*.>", "evt.>", "cmd.>", "qry.>", "ops.>", "deliver.*", "_INBOX.>", "$JS.>", "$SYS.>")
    return may | {subject: set() for subject in nobody}


def test_the_permissions_are_those_of_the_contracts() -> None:
    assert FILE.read_text() == rendered(), "run `python -m deploy.nats.permissions`"


@pytest.mark.parametrize("user", USERS)
async def test_a_user_publishes_what_is_its_own_and_nothing_else(bus: Bus, user: str) -> None:
    async with bus.user(user) as connection:
        let = {subject: await connection.may_publish(subject) for subject in who_may_publish()}
    assert let == {subject: user in users for subject, users in who_may_publish().items()}


@pytest.mark.parametrize("user", USERS)
async def test_a_user_hears_what_is_its_own_and_nothing_else(bus: Bus, user: str) -> None:
    async with bus.user(user) as connection:
        let = {subject: await connection.may_subscribe(subject, user) for subject in who_may_subscribe()}
    assert let == {subject: user in users for subject, users in who_may_subscribe().items()}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_cannot_listen_beside_its_own_queue(bus: Bus, service: str) -> None:
    async with bus.user(service) as connection:
        for subject in (f"ops.{service}.ask-lag.v1", deliver_subject(service)):
            assert not await connection.may_subscribe(subject)
            assert not await connection.may_subscribe(subject, "another")


async def test_a_service_replies_once_to_who_asked_and_to_nobody_else(bus: Bus) -> None:
    async with bus.user("fees") as fees, bus.user("operator") as operator:
        requests = await fees.client.subscribe("ops.fees.ask-lag.v1", "fees")
        await fees.client.flush()
        asked = asyncio.create_task(operator.client.request("ops.fees.ask-lag.v1", b"{}", timeout=5))
        request = await requests.next_msg(5)
        assert not await fees.may_publish(f"{inbox_prefix('operator')}.another")
        assert await fees.may_publish(request.reply)
        assert (await asked).data == b"{}"
        assert not await fees.may_publish(request.reply)


async def test_a_service_takes_its_events_acknowledges_them_and_is_asked(bus: Bus, tmp_path: Path) -> None:
    settings = Settings(
        database_url="sqlite+aiosqlite://", nats_url=bus.url, nats_seed_file=bus.secrets.seed("KH", "certificates")
    )
    broker = broker_of("certificates", settings)
    heard: asyncio.Queue[NatsMessage] = asyncio.Queue()

    async def answer(message: NatsMessage) -> bytes:
        return b"answered"

    broker.subscriber("qry.certificate.get.v1", queue="certificates")(answer)
    broker.subscriber(
        deliver_subject("certificates"),
        queue="certificates",
        durable="certificates",
        stream=JStream(STREAM, declare=False),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
    )(heard.put)
    await broker.start()
    registry = await connect("registry", bus.url, bus.secrets.seed("KH", "registry").read_text())
    portal = await connect("portal", bus.url, bus.secrets.seed("KH", "portal").read_text())
    try:
        assert (await portal.request("qry.certificate.get.v1", b"{}", timeout=5)).data == b"answered"

        subject = next(event.subject for event in events_heard_by("certificates") if owner_of(event) == "registry")
        await registry.jetstream().publish(subject, b"{}", stream=STREAM, timeout=5)
        message = await asyncio.wait_for(heard.get(), 5)
        await message.nack(delay=0.01)
        again = await asyncio.wait_for(heard.get(), ACK_WAIT / 2)
        await again.ack()
        while not heard.empty():
            await heard.get_nowait().ack()
        assert again.raw_message.metadata.num_delivered == 2
        async with asyncio.timeout(5):
            while (await registry_sees(bus)).num_ack_pending:
                await asyncio.sleep(0.01)
    finally:
        for client in (registry, portal):
            await client.close()
        await broker.stop()


async def registry_sees(bus: Bus):  # type: ignore[no-untyped-def]
    async with bus.user("operator") as operator:
        return await operator.client.jetstream().consumer_info(STREAM, "certificates")


async def test_countries_share_nothing(bus: Bus) -> None:
    event = next(event for event in events() if owner_of(event) == "gateway")
    async with bus.user("gateway", "VN") as abroad, bus.user("gateway") as home, bus.user("operator") as operator:
        before = (await operator.client.jetstream().stream_info(STREAM)).state.messages
        await abroad.client.jetstream().publish(event.subject, b"{}", stream=STREAM)
        assert (await operator.client.jetstream().stream_info(STREAM)).state.messages == before
        await home.client.jetstream().publish(event.subject, b"{}", stream=STREAM)
        assert (await operator.client.jetstream().stream_info(STREAM)).state.messages == before + 1


async def test_whoever_has_no_seed_is_not_let_in(bus: Bus) -> None:
    import nats

    with pytest.raises(nats.errors.Error, match="Authorization"):
        await nats.connect(bus.url, allow_reconnect=False)
