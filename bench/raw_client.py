"""The client of the bench: raw nats-py with prepared bodies, so that it costs the same for the product and for its floor."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.bus.connection import TOKEN_HEADER, inbox_prefix

USER = "portal"
ANSWERED = b'{"answer":'
LOST = 15.0
"""Seconds without any reply after which a run gives up."""


class NotAnswered(OSError):
    """A request was refused, or nobody has replied. The message gives the reply."""


@dataclass(frozen=True)
class Replies:
    """The seconds of each request in a run, and the seconds of the whole run."""

    seconds: list[float]
    lasted: float

    @property
    def median_ms(self) -> float:
        """The median in milliseconds."""
        return 1000 * median(self.seconds)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile in milliseconds."""
        return 1000 * quantiles(self.seconds, n=100, method="inclusive")[98]

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.seconds) / self.lasted


class RawClient:
    """Sends requests with one token and accepts answers only."""

    def __init__(self, client: Client, token: str) -> None:
        self._client = client
        self._headers = {TOKEN_HEADER: token}

    async def run(self, subject: str, bodies: Iterable[bytes], at_once: int, seconds: float = 3600.0) -> Replies:
        """Sends the bodies with `at_once` of them under way, until there is none left or `seconds` are over.

        Raises NotAnswered at the first refusal, and if no reply comes for some seconds.
        """
        run = _Run(self._client, subject, self._headers, iter(bodies), seconds)
        subscription = await self._client.subscribe(f"{run.inbox}.*", cb=run.arrived)
        try:
            return await run.replies(at_once)
        finally:
            await subscription.unsubscribe()


class _Run:
    """One run: the reply to request number N arrives at `INBOX.N`, and the next request follows it."""

    def __init__(self, client: Client, subject: str, headers: dict[str, str], bodies: Iterator[bytes], seconds: float) -> None:
        self.inbox = client.new_inbox()
        self._client, self._subject, self._headers, self._bodies = client, subject, headers, bodies
        self._limit = seconds
        self._sent: list[float] = []
        self._seconds: list[float] = []
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began = self._last = perf_counter()

    async def replies(self, at_once: int) -> Replies:
        """Sends the first requests and waits for the last reply."""
        self._began = perf_counter()
        for _ in range(at_once):
            await self._send_next()
        before = -1
        while not self._over.done():
            if before == len(self._seconds):
                raise NotAnswered(f"no reply to {self._subject} within {LOST:.0f} s")
            before = len(self._seconds)
            await asyncio.wait({self._over}, timeout=LOST)
        self._over.result()
        return Replies(self._seconds, self._last - self._began)

    async def arrived(self, message: Msg) -> None:
        """Takes the time of one reply and sends the next request."""
        self._last = perf_counter()
        self._seconds.append(self._last - self._sent[int(message.subject.rpartition(".")[2])])
        if not message.data.startswith(ANSWERED):
            self._end(NotAnswered(f"{self._subject}: {message.data.decode() or 'nobody replies'}"[:500]))
        elif not await self._send_next() and len(self._seconds) == len(self._sent):
            self._end(None)

    async def _send_next(self) -> bool:
        if self._over.done() or perf_counter() - self._began > self._limit:
            return False
        body = next(self._bodies, None)
        if body is None:
            return False
        reply_to = f"{self.inbox}.{len(self._sent)}"
        self._sent.append(perf_counter())
        await self._client.publish(self._subject, body, reply=reply_to, headers=self._headers)
        return True

    def _end(self, error: NotAnswered | None) -> None:
        if self._over.done():
            return
        if error:
            self._over.set_exception(error)
        else:
            self._over.set_result(None)


@asynccontextmanager
async def a_raw_client(url: str, seed: str, token: str) -> AsyncIterator[RawClient]:
    """A connection as the portal, which may send every command and question."""
    client = await nats.connect(url, nkeys_seed_str=seed, inbox_prefix=inbox_prefix(USER).encode())
    try:
        yield RawClient(client, token)
    finally:
        await client.close()
