"""What each user of the bus must be able to do, and what it must be refused, tried on a real server."""

import pytest

from deploy.nats.permissions import FILE, USERS, rendered
from shared.bus import STREAM, inbox_prefix, next_events_subject
from shared.contracts.catalogue import SERVICES, contracts, owner_of
from shared.contracts.kinds import Event
from shared.contracts.ops import OPERATIONS
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


def who_may_publish() -> dict[str, set[str]]:
    """Every subject and the users that may publish to it, from the meaning of the contracts."""
    may: dict[str, set[str]] = {subject: set() for subject in NOBODY}
    may |= {subject: {"operator"} for subject in OPERATOR_ONLY}
    for kind in contracts():
        may[kind.subject] = {owner_of(kind)} if issubclass(kind, Event) else {"portal"}
    for service in SERVICES:
        may |= {kind.subject.format(service=service): {"operator"} for kind in OPERATIONS}
        may[f"$JS.API.CONSUMER.INFO.{STREAM}.{service}"] = {service, "operator"}
        may[next_events_subject(service)] = {service, "operator"}
        may[f"$JS.ACK.{STREAM}.{service}.1.1.1.1.1"] = {service}
    return may


def who_may_subscribe() -> dict[str, set[str]]:
    """Every subject and the users that may subscribe to it in a queue of their own name."""
    may = {f"{inbox_prefix(user)}.>": {user} for user in USERS}
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
        subject = f"ops.{service}.ask-lag.v1"
        assert not await connection.may_subscribe(subject)
        assert not await connection.may_subscribe(subject, "another")
