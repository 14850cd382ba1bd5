"""The stream of events and its consumers, which an operator makes for all services."""

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import datetime

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RawStreamMsg,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from shared.contracts.index import SERVICES, events_heard_by, events_of
from shared.contracts.messages import Event

StreamMessage = Msg
JetStream = JetStreamContext

STREAM = "EVENTS"
PUBLISH_TIMEOUT = 5.0
ACK_WAIT = 30.0
MAX_ACK_PENDING = 1000

MAX_READ = 200
"""Events that an operator reads in one request."""

DAY = 86400.0
STREAM_KEEPS = 30 * DAY
STREAM_SETTINGS = ("subjects", "max_age", "num_replicas", "deny_purge", "allow_direct")
"""The settings that `set_up_bus` updates on an existing stream."""

NO_JETSTREAM = "it is not enabled on this bus; enable it in the configuration of nats-server, and for this account"
NOT_FOR_ACCOUNT = 10039
"""JetStream's error code for an account that may not use it. Without JetStream nobody responds, so there is no code."""


def next_events_subject(consumer: str) -> str:
    """The subject of JetStream's request for the next events of a consumer; a service's consumer has its name."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{consumer}"


def about_consumer_subject(consumer: str) -> str:
    """The subject of JetStream's request for the state of a consumer."""
    return f"$JS.API.CONSUMER.INFO.{STREAM}.{consumer}"


def own_consumer(service: str) -> str:
    """The consumer from which a service in recovery reads its own events."""
    return f"{service}-own"


def recovery_name(began_at: datetime) -> str:
    """The description of a consumer of one recovery; it tells it from that of an earlier one."""
    return f"recovery of {began_at.isoformat()}"


def last_event_subject(subject: str) -> str:
    """The subject of JetStream's request for the last event of a subject."""
    return f"$JS.API.DIRECT.GET.{STREAM}.{subject}"


async def set_up_bus(jetstream: JetStream, services: tuple[str, ...] = SERVICES, *, replicas: int | None = None) -> list[str]:
    """Makes or updates the stream and one durable consumer per service; returns what was made or changed.

    Streams and consumers are made here only; services have no permission. `replicas`: the number of servers that store the
    stream; None keeps the number of an existing stream, and stores a new one on one server.
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
            current = present.filter_subjects or [present.filter_subject]
            if sorted(filter(None, current)) == consumer.filter_subjects:
                continue
            changes.append(f"consumer {service} updated")
        await jetstream.add_consumer(STREAM, consumer)
    return changes


async def deliver_for_recovery(jetstream: JetStream, service: str, began_at: datetime) -> None:
    """Makes the consumers of a recovery that began at `began_at`: all events for the service, and its own.

    The inbox of the service skips events that it has already processed.
    """
    await delete_own_consumer(jetstream, service)
    if own_events := events_of(service):
        consumer = _consumer(own_consumer(service), own_events)
        await jetstream.add_consumer(STREAM, consumer, description=recovery_name(began_at))
    await deliver_from_the_start(jetstream, service)


async def deliver_from_the_start(jetstream: JetStream, service: str) -> None:
    """Makes the consumer of a service anew, so that it receives every event of the stream; its inbox skips duplicates."""
    with suppress(NotFoundError):
        await jetstream.delete_consumer(STREAM, service)
    await jetstream.add_consumer(STREAM, _consumer(service, events_heard_by(service)))


async def delete_own_consumer(jetstream: JetStream, service: str) -> None:
    """Deletes the consumer of a service's own events, which only a recovery needs."""
    with suppress(NotFoundError):
        await jetstream.delete_consumer(STREAM, own_consumer(service))


async def last_message(jetstream: JetStream, subject: str) -> RawStreamMsg | None:
    """The last message of a subject in the stream, or None."""
    try:
        return await jetstream.get_msg(STREAM, subject=subject, direct=True)
    except NotFoundError:
        return None


async def messages_in_stream(jetstream: JetStream) -> AsyncIterator[StreamMessage]:
    """All messages of the stream, in its order."""
    reader = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, mem_storage=True)
    subscription = await jetstream.pull_subscribe("evt.>", stream=STREAM, config=reader)
    try:
        while (await subscription.consumer_info()).num_pending:
            for message in await subscription.fetch(MAX_READ, timeout=1):
                yield message
    finally:
        await subscription.unsubscribe()


def _consumer(name: str, its_events: Iterable[type[Event]]) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        filter_subjects=sorted(event.subject for event in its_events),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_ack_pending=MAX_ACK_PENDING,
        max_deliver=-1,
    )
