"""The bus: how a process connects to NATS, and the stream and consumers that an operator makes for all of them."""

import logging
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from shared.contracts.catalogue import ASKERS, OPERATOR, SERVICES, events_heard_by, events_of
from shared.contracts.kinds import Event, Request
from shared.contracts.ops import OPERATIONS
from shared.logs import said

log = logging.getLogger(__name__)

STREAM = "EVENTS"
TOKEN_HEADER = "Actor-Token"  # noqa: S105
STEP_UP_HEADER = "Co-Step-Up"
TRACE_HEADER = "traceparent"
FROM_HEADER = "Co-From"
EVENT_ID_HEADER = "Nats-Msg-Id"
KEY_HEADER = "Co-Key"
SIGNATURE_HEADER = "Co-Signature"

PUBLISH_TIMEOUT = 5.0
PING_INTERVAL = 5
"""Seconds; a bus that leaves two pings unanswered is left, and connected to again."""
ACK_WAIT = 30.0
MAX_HANDED_OVER = 1000

MOST_READ = 200
"""Events that an operator reads at a time."""

DAY = 86400.0
STREAM_KEEPS = 30 * DAY
STREAM_SETTINGS = ("subjects", "max_age", "num_replicas", "deny_purge", "allow_direct")
"""What `set_up_bus` changes of a stream that is there already."""

NO_JETSTREAM = "nobody answers for it on this bus; enable it in the configuration of nats-server, and for this account"
"""What to do about a bus that cannot keep events."""
NOT_FOR_ACCOUNT = 10039
"""JetStream's code for an account that may not use it; where it is not there at all, there is no code."""


def servers_in(addresses: str) -> list[str]:
    """The servers of a bus: one address, or those of a cluster with commas between them."""
    return [address.strip() for address in addresses.split(",")]


def inbox_prefix(user: str) -> str:
    """Where a user's replies arrive; nobody else may listen there."""
    return f"_INBOX_{user}"


def asker_inboxes(request: type[Request]) -> tuple[str, ...]:
    """Where those who may ask this have their replies sent: nothing else is answered."""
    users = (OPERATOR,) if issubclass(request, OPERATIONS) else ASKERS
    return tuple(f"{inbox_prefix(user)}." for user in users)


def next_events_subject(consumer: str) -> str:
    """Where the next events of a consumer are asked for; a service's consumer bears its name."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}"


def about_consumer_subject(consumer: str) -> str:
    """Where the state of a consumer is asked for."""
    return f"$JS.API.CONSUMER.INFO.{STREAM}.{consumer}"


def own_consumer(service: str) -> str:
    """The consumer by which a service in recovery reads its own events back."""
    return f"{service}-own"


def recovery_name(began_at: datetime) -> str:
    """What tells the consumer of one recovery from that of another."""
    return f"recovery of {began_at.isoformat()}"


def last_event_subject(subject: str) -> str:
    """Where the last event of a subject is asked for."""
    return f"$JS.API.DIRECT.GET.{STREAM}.{subject}"


def tls_context(ca_file: Path | None) -> ssl.SSLContext | None:
    """TLS that trusts this authority only; none where there is none."""
    return ssl.create_default_context(cafile=str(ca_file)) if ca_file else None


async def log_error(error: Exception) -> None:
    """Says what the connection to the bus reports; it is restored by itself."""
    log.warning("the bus reports a problem", extra={"error": said(error)})


async def connect(user: str, url: str, seed: str, ca_file: Path | None = None, **options: Any) -> Client:
    """A plain connection for those who only ask: the portal, `co` and the stories."""
    return await nats.connect(
        servers_in(url),
        name=user,
        nkeys_seed_str=seed,
        inbox_prefix=inbox_prefix(user).encode(),
        tls=tls_context(ca_file),
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.5,
        ping_interval=PING_INTERVAL,
        **{"error_cb": log_error} | options,
    )


async def set_up_bus(
    jetstream: JetStreamContext, services: tuple[str, ...] = SERVICES, *, replicas: int | None = None
) -> list[str]:
    """Makes or updates the stream and one durable consumer per service; returns what was made or changed.

    The only place where streams and consumers are made: services have no right to. `replicas`: on how many servers of a
    cluster the stream is kept; where it is not said, on as many as it is now, and a new one on one.
    """
    changes = []
    wanted = StreamConfig(
        name=STREAM,
        subjects=["evt.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        max_age=STREAM_KEEPS,
        duplicate_window=120,
        num_replicas=replicas or 1,
        deny_delete=True,
        deny_purge=True,
        allow_direct=True,
    )
    try:
        stream = await jetstream.stream_info(STREAM)
    except NotFoundError:
        await jetstream.add_stream(wanted)
        changes.append(f"stream {STREAM} made")
    else:
        if replicas is None:
            wanted.num_replicas = stream.config.num_replicas
        if any(getattr(stream.config, what) != getattr(wanted, what) for what in STREAM_SETTINGS):
            await jetstream.update_stream(wanted)
            changes.append(f"stream {STREAM} updated")

    for service in services:
        consumer = _consumer(service, events_heard_by(service))
        try:
            present = (await jetstream.consumer_info(STREAM, service)).config
        except NotFoundError:
            changes.append(f"consumer {service} made")
        else:
            heard_now = present.filter_subjects or [present.filter_subject]
            if sorted(filter(None, heard_now)) == consumer.filter_subjects:
                continue
            changes.append(f"consumer {service} updated")
        await jetstream.add_consumer(STREAM, consumer)
    return changes


async def hand_over_again(jetstream: JetStreamContext, service: str, began_at: datetime) -> None:
    """Has a service in recovery since `began_at` handed every event of the stream again, and those it announced itself.

    Its inbox keeps it from acting twice.
    """
    await take_back_own_events(jetstream, service)
    if own_events := events_of(service):
        consumer = _consumer(own_consumer(service), own_events)
        await jetstream.add_consumer(STREAM, consumer, description=recovery_name(began_at))
    await hand_over_from_the_start(jetstream, service)


async def hand_over_from_the_start(jetstream: JetStreamContext, service: str) -> None:
    """Has a service handed every event of the stream again. Its inbox keeps it from acting twice."""
    with suppress(NotFoundError):
        await jetstream.delete_consumer(STREAM, service)
    await jetstream.add_consumer(STREAM, _consumer(service, events_heard_by(service)))


async def take_back_own_events(jetstream: JetStreamContext, service: str) -> None:
    """Ends the handing over of its own events to a service, which is needed only in recovery."""
    with suppress(NotFoundError):
        await jetstream.delete_consumer(STREAM, own_consumer(service))


async def messages_in_stream(jetstream: JetStreamContext) -> AsyncIterator[Msg]:
    """Everything that the stream holds, in its order."""
    reader = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True)
    subscription = await jetstream.pull_subscribe("evt.>", stream=STREAM, config=reader)
    try:
        while (await subscription.consumer_info()).num_pending:
            for message in await subscription.fetch(MOST_READ, timeout=1):
                yield message
    finally:
        await subscription.unsubscribe()


def _consumer(name: str, its_events: Iterable[type[Event]]) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        filter_subjects=sorted(event.subject for event in its_events),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_ack_pending=MAX_HANDED_OVER,
        max_deliver=-1,
    )
