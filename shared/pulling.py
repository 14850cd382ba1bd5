"""How a replica asks the stream for its events: one request waits for one event, then brings all there are."""

import asyncio
import json
import logging
from time import monotonic

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.bus import next_events_subject
from shared.logs import said

log = logging.getLogger(__name__)

MOST_TOGETHER = 100
EXPIRES = 0.5
"""Seconds for which a request waits for the first event."""
GRACE = 1.0
"""Seconds after which an unanswered request is given up: it died with its connection, or with a leader."""
PAUSE = 0.5

NOTHING_CAME = frozenset({"404", "408"})
REQUEST = json.dumps({"batch": MOST_TOGETHER, "no_wait": True, "expires": int(EXPIRES * 1e9)}).encode()


class Puller:
    """Pulls the events of one consumer, a lot at a time (decision 0002). Each answer is read to its end."""

    def __init__(self, client: Client, consumer: str) -> None:
        self._client = client
        self._subject = next_events_subject(consumer)
        self._inbox = client.new_inbox()
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()

    async def open(self) -> None:
        """Begins to listen where answers arrive."""
        await self._client.subscribe(self._inbox, cb=self._arrived.put)

    async def next_events(self) -> list[Msg]:
        """At most a hundred events, as soon as there is one; none where nothing came for half a second."""
        try:
            await self._client.publish(self._subject, REQUEST, reply=self._inbox)
        except NatsError as error:
            log.warning("events cannot be asked for", extra={"error": said(error)})
            await asyncio.sleep(PAUSE)
            return []
        given_up = monotonic() + EXPIRES + GRACE
        events: list[Msg] = []
        while len(events) < MOST_TOGETHER:
            try:
                message = await asyncio.wait_for(self._arrived.get(), given_up - monotonic())
            except TimeoutError:
                break
            if not message.reply:  # a status, which ends the answer
                await self._heed((message.headers or {}).get("Status", ""))
                break
            events.append(message)
        return events

    async def _heed(self, status: str) -> None:
        if status not in NOTHING_CAME:
            log.warning("the stream gives no events", extra={"status": status})
            await asyncio.sleep(PAUSE)
