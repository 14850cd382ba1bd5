"""The bus: how a process connects to NATS, and the stream and consumers that an operator makes for all of them."""

import logging
import ssl
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from shared.contracts.catalogue import SERVICES, events_heard_by

log = logging.getLogger(__name__)

STREAM = "EVENTS"
TOKEN_HEADER = "Actor-Token"  # noqa: S105
TRACE_HEADER = "traceparent"
EVENT_ID_HEADER = "Nats-Msg-Id"

PUBLISH_TIMEOUT = 5.0
ACK_WAIT = 30.0
MAX_HANDED_OVER = 1000

DAY = 86400.0
STREAM_KEEPS = 30 * DAY


def inbox_prefix(user: str) -> str:
    """Where a user's replies arrive; nobody else may listen there."""
    return f"_INBOX_{user}"


def next_events_subject(service: str) -> str:
    """Where a service asks the stream for its next events."""
    return f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{service}"


def tls_context(ca_file: Path | None) -> ssl.SSLContext | None:
    """TLS that trusts this authority only; none where there is none."""
    return ssl.create_default_context(cafile=str(ca_file)) if ca_file else None


async def log_error(error: Exception) -> None:
    """Says what the connection to the bus reports; it is restored by itself."""
    log.warning("the bus reports a problem", extra={"error": repr(error)[:500]})


async def connect(user: str, url: str, seed: str, ca_file: Path | None = None, **options: Any) -> Client:
    """A plain connection for those who only ask: the portal, `co` and the stories."""
    return await nats.connect(
        url,
        name=user,
        nkeys_seed_str=seed,
        inbox_prefix=inbox_prefix(user).encode(),
        tls=tls_context(ca_file),
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.5,
        **{"error_cb": log_error} | options,
    )


async def set_up_bus(jetstream: JetStreamContext, services: tuple[str, ...] = SERVICES, *, replicas: int = 1) -> list[str]:
    """Makes or updates the stream and one durable consumer per service; returns what was made or changed.

    The only place where streams and consumers are made: services have no right to.
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
        num_replicas=replicas,
        deny_delete=True,
    )
    try:
        stream = await jetstream.stream_info(STREAM)
    except NotFoundError:
        await jetstream.add_stream(wanted)
        changes.append(f"stream {STREAM} made")
    else:
        if (stream.config.subjects, stream.config.max_age, stream.config.num_replicas) != (
            wanted.subjects,
            wanted.max_age,
            replicas,
        ):
            await jetstream.update_stream(wanted)
            changes.append(f"stream {STREAM} updated")

    for service in services:
        consumer = ConsumerConfig(
            durable_name=service,
            filter_subjects=sorted(heard.subject for heard in events_heard_by(service)),
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT,
            max_ack_pending=MAX_HANDED_OVER,
            max_deliver=-1,
        )
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
