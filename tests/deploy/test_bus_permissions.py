"""The permissions of each user of the bus, on a real server: what is allowed and what is refused."""

import pytest
from nats.aio.msg import Msg

from deploy.nats.permissions import FILE, USERS, rendered
from shared.bus.connection import inbox_prefix
from shared.bus.stream import STREAM, last_event_subject, next_events_subject, own_consumer
from shared.contracts.index import ASKERS, SERVICES, contracts, events_of, operator_requests_to, owner_of
from shared.contracts.messages import Event
from tests.conftest import eventually
from tests.deploy.conftest import Bus

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
NOBODY = ("$SYS.REQ.SERVER.PING", "anything", *(f"{inbox_prefix(user)}.x" for user in USERS))


def publishers() -> dict[str, set[str]]:
    """Every subject with the users that may publish to it, from the contracts."""
    may: dict[str, set[str]] = {subject: set() for subject in NOBODY}
    may |= {subject: {"operator"} for subject in OPERATOR_ONLY}
    for kind in contracts():
        may[kind.subject] = {owner_of(kind)} if issubclass(kind, Event) else {"portal"}
    for service in SERVICES:
        may |= {kind.subject.format(service=service): {"operator"} for kind in operator_requests_to(service)}
        may[f"$JS.API.CONSUMER.INFO.{STREAM}.{service}"] = {service, "operator"}
        may[next_events_subject(service)] = {service, "operator"}
        may[f"$JS.ACK.{STREAM}.{service}.1.1.1.1.1"] = {service}
        own = {service} if events_of(service) else set()
        consumer = own_consumer(service)
        may[f"$JS.API.CONSUMER.INFO.{STREAM}.{consumer}"] = {*own, "operator"}
        may[next_events_subject(consumer)] = {*own, "operator"}
        may[f"$JS.ACK.{STREAM}.{consumer}.1.1.1.1.1"] = own
        may |= {last_event_subject(event.subject): {service, "operator"} for event in events_of(service)}
    return may


def subscribers() -> dict[str, set[str]]:
    """Every subject with the users that may subscribe to it, in a queue with their name."""
    may = {f"{inbox_prefix(user)}.>": {user} for user in USERS}
    for kind in contracts():
        may[kind.subject] = set() if issubclass(kind, Event) else {owner_of(kind)}
    for service in SERVICES:
        may |= {kind.subject.format(service=service): {service} for kind in operator_requests_to(service)}
    nobody = (">", "*.>", "evt.>", "cmd.>", "qry.>", "ops.>", "deliver.*", "_INBOX.>", "$JS.>", "$SYS.>")
    return may | {subject: set() for subject in nobody}


def test_the_permissions_are_generated_from_the_contracts() -> None:
    assert FILE.read_text() == rendered(), "run `python -m deploy.nats.permissions`"


@pytest.mark.parametrize("user", USERS)
async def test_a_user_publishes_only_its_own_subjects(bus: Bus, user: str) -> None:
    async with bus.user(user) as connection:
        allowed = {subject: await connection.may_publish(subject) for subject in publishers()}
    assert allowed == {subject: user in users for subject, users in publishers().items()}


@pytest.mark.parametrize("user", USERS)
async def test_a_user_subscribes_only_to_its_own_subjects(bus: Bus, user: str) -> None:
    async with bus.user(user) as connection:
        allowed = {subject: await connection.may_subscribe(subject, user) for subject in subscribers()}
    assert allowed == {subject: user in users for subject, users in subscribers().items()}


@pytest.mark.parametrize("user", [*SERVICES, *ASKERS])
async def test_only_the_operator_administers_the_stream_and_its_consumers(bus: Bus, user: str) -> None:
    streams = (
        "INFO",
        "UPDATE",
        "PURGE",
        "DELETE",
        "MSG.GET",
        "MSG.DELETE",
        "SNAPSHOT",
        "RESTORE",
        "LEADER.STEPDOWN",
        "PEER.REMOVE",
    )
    consumers = ("CREATE", "DURABLE.CREATE", "DELETE", "PAUSE", "RESET", "UNPIN", "LEADER.STEPDOWN")
    requests = [
        *(f"$JS.API.STREAM.{verb}.{STREAM}" for verb in streams),
        *(f"$JS.API.CONSUMER.{verb}.{STREAM}.{name}" for verb in consumers for name in (*SERVICES, "new")),
        f"$JS.API.CONSUMER.CREATE.{STREAM}",
        f"$JS.API.CONSUMER.CREATE.{STREAM}.new.evt.certificate.documented.v1",
        f"$JS.API.CONSUMER.NAMES.{STREAM}",
        f"$JS.API.DIRECT.GET.{STREAM}",
        "$JS.API.INFO",
        "$JS.API.ACCOUNT.INFO",
        "$JS.FC.x",
    ]
    async with bus.user(user) as connection:
        assert [subject for subject in requests if await connection.may_publish(subject)] == []


@pytest.mark.parametrize("user", USERS)
async def test_no_user_receives_more_by_a_wildcard(bus: Bus, user: str) -> None:
    others = "portal" if user != "portal" else "fees"
    wildcards = ("evt.certificate.*.v1", "evt.*.*.v1", "*.certificate.>", "cmd.*.submit.v1", "ops.*.ask-health.v1")
    inboxes = ("*.>", f"_INBOX_{others}.*", f"_INBOX_{others}.x.y", "$JS.API.>", "$JS.ACK.>", "$JS.EVENT.>")
    async with bus.user(user) as connection:
        assert [subject for subject in (*wildcards, *inboxes) if await connection.may_subscribe(subject, user)] == []


async def test_a_service_answers_only_requests_and_only_once(bus: Bus) -> None:
    async with bus.user("portal") as portal, bus.user("fees") as fees:
        received = []

        async def answer_twice(message: Msg) -> None:
            await message.respond(b"one")
            await message.respond(b"two")

        async def receive(message: Msg) -> None:
            received.append(message.data)

        await fees.client.subscribe("qry.invoice.get.v1", "fees", cb=answer_twice)
        await portal.client.subscribe("_INBOX_portal.here", cb=receive)
        await fees.settle()
        await portal.client.publish("qry.invoice.get.v1", b"{}", reply="_INBOX_portal.here")
        await eventually(lambda: received)
        await fees.settle()
        await portal.settle()

        assert received == [b"one"]
        assert not await fees.may_publish("_INBOX_portal.here")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_cannot_subscribe_outside_its_own_queue(bus: Bus, service: str) -> None:
    async with bus.user(service) as connection:
        subject = f"ops.{service}.ask-lag.v1"
        assert not await connection.may_subscribe(subject)
        assert not await connection.may_subscribe(subject, "another")
