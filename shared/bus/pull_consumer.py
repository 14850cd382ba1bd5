"""Pulls events from JetStream: one request waits for the first event and returns all available events."""

import asyncio
import json
import logging
from time import monotonic

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.bus.stream import next_events_subject
from shared.observability.logs import error_text

log = logging.getLogger(__name__)

MAX_BATCH = 100
EXPIRES = 0.5
"""Seconds that a request waits for the first event."""
GRACE = 1.0
"""Seconds after `EXPIRES` until an unanswered request counts as lost, for example with its connection."""
PAUSE = 0.5

NO_EVENTS = frozenset({"404", "408"})
SINGLE_FOR = 60.0
"""Seconds of requests for single events, after a message without headers and body."""


def _request(batch: int) -> bytes:
    return json.dumps({"batch": batch, "no_wait": True, "expires": int(EXPIRES * 1e9)}).encode()


REQUEST, REQUEST_SINGLE = _request(MAX_BATCH), _request(1)


class PullConsumer:
    """Pulls the events of one consumer in batches (decision 0002). It reads every reply completely.

    The bus takes a message without headers and body for the end of the reply, because the stream has another account. It drops
    the rest of the batch, and delivers it again after the ack wait. Until then every event gets a reply of its own.
    """

    def __init__(self, client: Client, consumer: str) -> None:
        self._client = client
        self._subject = next_events_subject(consumer)
        self._inbox = client.new_inbox()
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()
        self._single_until = 0.0

    async def open(self) -> None:
        """Subscribes to the inbox of the replies."""
        await self._client.subscribe(self._inbox, cb=self._arrived.put)

    async def next_events(self) -> list[Msg]:
        """Returns at most 100 events as soon as there is one, or an empty list after half a second."""
        single = monotonic() < self._single_until
        try:
            await self._client.publish(self._subject, REQUEST_SINGLE if single else REQUEST, reply=self._inbox)
        except NatsError as error:
            log.warning("events cannot be requested", extra={"error": error_text(error)})
            await asyncio.sleep(PAUSE)
            return []
        deadline = monotonic() + EXPIRES + GRACE
        events: list[Msg] = []
        while len(events) < (1 if single else MAX_BATCH):
            try:
                message = await asyncio.wait_for(self._arrived.get(), deadline - monotonic())
            except TimeoutError:
                break
            if not message.reply:  # a status message, which ends the reply
                await self._check_status((message.headers or {}).get("Status", ""))
                break
            events.append(message)
            if not message.data and not message.headers:
                self._single_until = monotonic() + SINGLE_FOR
                break
        return events

    async def _check_status(self, status: str) -> None:
        if status not in NO_EVENTS:
            log.warning("the stream delivers no events", extra={"status": status})
            await asyncio.sleep(PAUSE)
