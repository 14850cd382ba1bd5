"""Creates the stream of events and its consumers. Only an operator may; services have no permission."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from shared.bus.stream import STREAM, own_consumer, recovery_name
from shared.contracts.index import SERVICES, events_heard_by, events_of
from shared.contracts.messages import Event

ACK_WAIT = 30.0
MAX_ACK_PENDING = 1000

DAY = 86400.0
STREAM_KEEPS = 30 * DAY
STREAM_SETTINGS = ("subjects", "max_age", "num_replicas", "deny_purge", "allow_direct")
"""The settings that `set_up_bus` updates on an existing stream."""


async def set_up_bus(
    jetstream: JetStreamContext, services: tuple[str, ...] = SERVICES, *, replicas: int | None = None
) -> list[str]:
    """Creates or updates the stream and one durable consumer for each service; returns the changes.

    `replicas`: the number of servers that store the stream. With None an existing stream keeps its number and a new one
    gets one.
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
        changes.append(f"stream {STREAM} created")
    else:
        if replicas is None:
            wanted.num_replicas = stream.config.num_replicas
        if any(getattr(stream.config, name) != getattr(wanted, name) for name in STREAM_SETTINGS):
            await jetstream.update_stream(wanted)
            changes.append(f"stream {STREAM} updated")

    for service in services:
        consumer = _consumer(service, events_heard_by(service))
        try:
            present = (await jetstream.consumer_info(STREAM, service)).config
        except NotFoundError:
            changes.append(f"consumer {service} created")
        else:
            current = present.filter_subjects or [present.filter_subject]
            if sorted(filter(None, current)) == consumer.filter_subjects:
                continue
            changes.append(f"consumer {service} updated")
        await jetstream.add_consumer(STREAM, consumer)
    return changes


async def deliver_for_recovery(jetstream: JetStreamContext, service: str, began_at: datetime) -> None:
    """Creates the consumers of a recovery that began at `began_at`: for all events of the service and for its own.

    The inbox of the service skips events that it has already processed.
    """
    await delete_own_consumer(jetstream, service)
    if own_events := events_of(service):
        consumer = _consumer(own_consumer(service), own_events)
        await jetstream.add_consumer(STREAM, consumer, description=recovery_name(began_at))
    await deliver_from_the_start(jetstream, service)


async def deliver_from_the_start(jetstream: JetStreamContext, service: str) -> None:
    """Creates a new consumer of a service, which delivers every event of the stream. The inbox skips duplicates."""
    with suppress(NotFoundError):
        await jetstream.delete_consumer(STREAM, service)
    await jetstream.add_consumer(STREAM, _consumer(service, events_heard_by(service)))


async def delete_own_consumer(jetstream: JetStreamContext, service: str) -> None:
    """Deletes the consumer of a service's own events. Only a recovery needs it."""
    with suppress(NotFoundError):
        await jetstream.delete_consumer(STREAM, own_consumer(service))


def _consumer(name: str, its_events: Iterable[type[Event]]) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        filter_subjects=sorted(event.subject for event in its_events),
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_ack_pending=MAX_ACK_PENDING,
        max_deliver=-1,
    )
