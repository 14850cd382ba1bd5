"""Limits for each address: requests by a token bucket, and open streams. They are kept in memory, for one replica."""

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from math import ceil
from time import monotonic

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.tracking.answers import Problem
from services.tracking.visitors import address_of, network_of, wants_json
from shared.database.engine import is_transient
from shared.handling.work import ServiceContext
from shared.refusals import LANGUAGES, Refused, TemporarilyUnavailable

RATE = 20.0
"""Requests a second."""
BURST = 40.0
MAX_ADDRESSES = 20_000
"""Maximum addresses that are remembered: the others have full buckets."""
MAX_STREAMS = 500
MAX_STREAMS_OF_ONE = 5
RETRY, RETRY_STREAM = 5, 60
"""Seconds after which a client may try again."""
UNAVAILABLE = (DBAPIError, OSError, TimeoutError, PoolTimeout)
"""What the database raises while it is away."""

Endpoint = Callable[[Request], Awaitable[Response]]


class TooManyRequests(Refused):
    code = "too_many_requests"


class TooManyStreams(Refused):
    code = "too_many_streams"


@dataclass
class Bucket:
    """The requests that an address may still send, at an instant (monotonic seconds)."""

    left: float
    at: float


class Limits:
    """The limits of this replica. `now`: a clock that only moves forward, in seconds."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._streams: Counter[str] = Counter()

    def take(self, address: str) -> float:
        """Takes one request from an address. Returns 0, or the seconds until its next request is allowed."""
        now, key = self._now(), network_of(address)
        bucket = self._buckets.pop(key, None) or Bucket(BURST, now)
        bucket.left, bucket.at = min(BURST, bucket.left + (now - bucket.at) * RATE), now
        self._buckets[key] = bucket  # the newest is last
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            return (1 - bucket.left) / RATE
        bucket.left -= 1
        return 0.0

    def open_stream(self, address: str) -> None:
        """Counts an open stream of an address. Raises TooManyStreams."""
        key = network_of(address)
        if self._streams.total() >= MAX_STREAMS or self._streams[key] >= MAX_STREAMS_OF_ONE:
            raise TooManyStreams(most=MAX_STREAMS_OF_ONE)
        self._streams[key] += 1

    def close_stream(self, address: str) -> None:
        """Ends an open stream of an address."""
        self._streams[network_of(address)] -= 1
        self._streams += Counter()  # removes addresses without a stream


def limited(endpoint: Endpoint) -> Endpoint:
    """The endpoint, for addresses that do not send too many requests."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        context: ServiceContext = request.app.state.context
        if wait := context.use(Limits).take(address_of(request)):
            return refused(request, TooManyRequests(rate=int(RATE)), 429, wait)
        try:
            return await endpoint(request)
        except UNAVAILABLE as error:
            if not is_transient(error):
                raise
            return refused(request, TemporarilyUnavailable(), 503, RETRY)

    return answer


def refused(request: Request, refusal: Refused, status: int, wait: float) -> Response:
    """The answer to a client that must wait. It is small, and costs little."""
    headers = {"retry-after": str(max(ceil(wait), 1)), "cache-control": "no-store", "x-content-type-options": "nosniff"}
    if wants_json(request):
        problem = Problem(code=refusal.code, detail=refusal.detail)
        return Response(problem.model_dump_json(), status, headers, media_type="application/json")
    return PlainTextResponse("\n".join(refusal.sentence(language) for language in LANGUAGES), status, headers)
