"""Live certificates: an open page hears by server-sent events that a step was added."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress

from opentelemetry.trace import INVALID_SPAN
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.tracking.answers import Problem
from services.tracking.data_files import DataFiles
from services.tracking.limits import RETRY_STREAM, Limits, TooManyStreams, refused
from services.tracking.look_ups import LookUps
from services.tracking.references import ReferenceMalformed, read_reference
from services.tracking.store import CertificateNotFound, TrackedStep, steps_counted, steps_of
from services.tracking.views import step_view
from services.tracking.visitors import address_of
from shared.handling.work import ServiceContext

INTERVAL = 1.0
HEARTBEAT = 20.0
LIFETIME = 900.0

Queue = asyncio.Queue[bool]
"""Of one stream: True after a new step, False when the replica stops."""


class Watching:
    """Looks once a second for new steps of all certificates that pages of this replica watch, in one query."""

    def __init__(self, interval: float = INTERVAL, heartbeat: float = HEARTBEAT, lifetime: float = LIFETIME) -> None:
        self._interval, self._heartbeat, self._lifetime = interval, heartbeat, lifetime
        self._streams: defaultdict[str, set[Queue]] = defaultdict(set)
        self._counts: dict[str, int] = {}
        self._looking: asyncio.Task[None] | None = None

    async def steps(
        self, reference: str, seen: set[tuple[int, str]], context: ServiceContext
    ) -> AsyncGenerator[TrackedStep | None, None]:
        """Each new step of a certificate; None if nothing has happened for a while. It ends when the replica stops.

        `seen`: number and code of the steps that are known. It gets those that are returned.
        """
        queue: Queue = asyncio.Queue()
        queue.put_nowait(True)  # a step may have been added since the page was made
        self._streams[reference].add(queue)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(context))
        end = asyncio.get_running_loop().time() + self._lifetime
        try:
            while (left := end - asyncio.get_running_loop().time()) > 0:
                try:
                    async with asyncio.timeout(min(self._heartbeat, left)):
                        if not await queue.get():
                            return
                except TimeoutError:
                    yield None
                    continue
                for step in await _steps(reference, context):
                    if (step.number, step.code) not in seen:
                        seen.add((step.number, step.code))
                        yield step
        finally:
            self._streams[reference].discard(queue)
            if not self._streams[reference]:
                del self._streams[reference]
                self._counts.pop(reference, None)

    async def aclose(self) -> None:
        """Ends the look in progress."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})

    async def _look(self, context: ServiceContext) -> None:
        while self._streams and not context.stopping.is_set():
            with suppress(Exception):  # the database is away: the next look finds what was missed
                async with context.reading(INVALID_SPAN) as work:
                    counts = await steps_counted(work, list(self._streams))
                self._tell(counts)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await context.stopping.wait()
        if context.stopping.is_set():
            for queues in self._streams.values():
                for queue in queues:
                    queue.put_nowait(False)

    def _tell(self, counts: dict[str, int]) -> None:
        for reference, queues in self._streams.items():
            if counts.get(reference, 0) == self._counts.get(reference, -1):
                continue
            self._counts[reference] = counts.get(reference, 0)
            for queue in queues:
                if queue.empty():
                    queue.put_nowait(True)


class EventStream(StreamingResponse):
    """The answer with the events of one page. When it ends, its address may open another one."""

    def __init__(self, content: AsyncGenerator[str, None], limits: Limits, address: str) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
        super().__init__(content, media_type="text/event-stream", headers=headers)
        self._content, self._limits, self._address = content, limits, address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._limits.close_stream(self._address)
            await self._content.aclose()


async def show_events(request: Request) -> Response:
    """The steps of a certificate, as they are added.

    `after` or Last-Event-ID: the last step that is known, such as `1-AS2`. Without it only steps from now on are sent.
    """
    context: ServiceContext = request.app.state.context
    data, limits, address = context.use(DataFiles), context.use(Limits), address_of(request)
    try:
        reference = read_reference(request.path_params["reference"], data.offices)
        steps = (await context.use(LookUps).find(reference, context)).steps
        limits.open_stream(address)
    except TooManyStreams as no:
        return refused(request, no, 429, RETRY_STREAM)
    except (ReferenceMalformed, CertificateNotFound) as no:
        return Response(
            Problem(code=no.code, detail=no.detail).model_dump_json(),
            404,
            {"cache-control": "no-store"},
            media_type="application/json",
        )
    seen = known_until(request.headers.get("last-event-id") or request.query_params.get("after"), steps)
    events = context.use(Watching).steps(reference, seen, context)
    return EventStream(_written(events, data), limits, address)


def known_until(last: str | None, steps: Sequence[TrackedStep]) -> set[tuple[int, str]]:
    """The steps that a page knows: all until `last`; all steps if it names none."""
    keys = [(step.number, step.code) for step in steps]
    if last is None:
        return set(keys)
    if last in (ids := [event_id(*key) for key in keys]):
        return set(keys[: ids.index(last) + 1])
    return set()


def event_id(number: int, code: str) -> str:
    """The id of a step in a stream."""
    return f"{number}-{code}"


async def _written(steps: AsyncGenerator[TrackedStep | None, None], data: DataFiles) -> AsyncGenerator[str, None]:
    """The text of a stream."""
    async with aclosing(steps):
        yield "retry: 5000\n\n"
        async for step in steps:
            if step is None:
                yield ": still here\n\n"
            else:
                view = step_view(step, data).model_dump_json()
                yield f"id: {event_id(step.number, step.code)}\nevent: step\ndata: {view}\n\n"


async def _steps(reference: str, context: ServiceContext) -> Sequence[TrackedStep]:
    async with context.reading(INVALID_SPAN) as work:
        return await steps_of(work, reference)
