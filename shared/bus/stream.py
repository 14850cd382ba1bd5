"""The stream of events: subjects of JetStream's API, and functions that read stored messages."""

from collections.abc import AsyncIterator
from datetime import datetime

from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, RawStreamMsg
from nats.js.errors import NotFoundError

StreamMessage = Msg
JetStream = JetStreamContext

STREAM = "EVENTS"
PUBLISH_TIMEOUT = 5.0
MAX_READ = 200
"""Messages that `messages_in_stream` reads in one request."""

NO_JETSTREAM = "it is not enabled on this bus; enable it in the configuration of nats-server, and for this account"
NOT_FOR_ACCOUNT = 10039
"""JetStream's error code for an account that may not use it. A bus without JetStream sends no reply at all."""


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
    """The description of the consumer of one recovery. It differs from that of an earlier recovery."""
    return f"recovery of {began_at.isoformat()}"


def last_event_subject(subject: str) -> str:
    """The subject of JetStream's request for the last event of a subject."""
    return f"$JS.API.DIRECT.GET.{STREAM}.{subject}"


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
