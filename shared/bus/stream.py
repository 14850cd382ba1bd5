"""The stream of events: subjects of JetStream's API, and functions that read stored messages."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

StreamMessage = Msg
JetStream = JetStreamContext

STREAM = "EVENTS"
PUBLISH_TIMEOUT = 5.0

NO_JETSTREAM = "it is not enabled on this bus; enable it in the configuration of nats-server, and for this account"
NOT_FOR_ACCOUNT = 10039
"""JetStream's error code for an account that may not use it. A bus without JetStream sends no reply at all."""

SUBJECT_HEADER, SEQUENCE_HEADER, STORED_AT_HEADER = "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp"
"""Headers that the bus adds to a stored message, after those of its publisher. The last header of a name counts."""
NO_MORE = frozenset({"204", "404"})
"""Status of the end of a batch, and of no message."""
MAX_READ = 200
"""Messages that `messages_in_stream` reads in one request."""


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


@dataclass(frozen=True)
class StoredMessage:
    """A message as the stream stores it. `headers` are those of its publisher and those of the bus."""

    subject: str
    sequence: int
    stored_at: datetime
    headers: dict[str, str]
    data: bytes


async def last_message(client: Client, subject: str) -> StoredMessage | None:
    """The last message of a subject in the stream, or None. Raises NatsError, also if the stream does not reply in time."""
    inbox = await client.subscribe(client.new_inbox(), max_msgs=1)
    await client.publish(last_event_subject(subject), b"", inbox.subject)
    return _stored(await inbox.next_msg(PUBLISH_TIMEOUT))


async def messages_in_stream(client: Client) -> AsyncIterator[StoredMessage]:
    """All messages of the stream, in its order. Only an operator may read them. Raises NatsError as `last_message` does."""
    inbox = await client.subscribe(client.new_inbox())
    following: int | None = 1
    while following:
        request = json.dumps({"seq": following, "next_by_subj": "evt.>", "batch": MAX_READ})
        await client.publish(f"$JS.API.DIRECT.GET.{STREAM}", request.encode(), inbox.subject)
        following = None
        while message := _stored(await inbox.next_msg(PUBLISH_TIMEOUT)):
            following = message.sequence + 1
            yield message
    await inbox.unsubscribe()


def _stored(reply: Msg) -> StoredMessage | None:
    """The message in a reply to a direct get; None at the end. nats-py would take a publisher's header `Status` for the end."""
    headers = reply.headers or {}
    if SEQUENCE_HEADER in headers:
        stored_at = datetime.fromisoformat(headers[STORED_AT_HEADER])
        return StoredMessage(headers[SUBJECT_HEADER], int(headers[SEQUENCE_HEADER]), stored_at, headers, reply.data)
    if (status := headers.get("Status")) in NO_MORE:
        return None
    raise NatsError(f"the stream does not give its messages (status {status})")
