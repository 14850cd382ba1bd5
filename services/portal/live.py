"""Live pages: an open page hears by server-sent events that something on it has changed, and fetches it again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from services.portal.tables import changes
from shared.database.engine import Database
from shared.handling.work import ServiceContext

INTERVAL = 1.0
HEARTBEAT = 20.0
LIFETIME = 900.0
MAX_STREAMS = 100
MAX_IDS = 100


class Changes:
    """Looks once a second for new changes, for all open pages of this replica together."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Queue[None], tuple[frozenset[UUID], str]] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether no further page can be live."""
        return len(self._waiting) >= MAX_STREAMS

    async def of(self, ids: frozenset[UUID], office: str, context: ServiceContext) -> AsyncIterator[str]:
        """The events of one page, until it has been open for a quarter of an hour or the replica stops."""
        queue: asyncio.Queue[None] = asyncio.Queue(maxsize=1)
        self._waiting[queue] = (ids, office)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(context))
        try:
            end = asyncio.get_running_loop().time() + LIFETIME
            yield "retry: 5000\n\n"
            quiet = 0.0
            while asyncio.get_running_loop().time() < end and not context.stopping.is_set():
                try:
                    async with asyncio.timeout(INTERVAL):
                        await queue.get()
                except TimeoutError:
                    quiet += INTERVAL
                    if quiet >= HEARTBEAT:
                        quiet = 0.0
                        yield ": still here\n\n"
                else:
                    yield "event: changed\ndata: {}\n\n"
        finally:
            self._waiting.pop(queue, None)

    async def _look(self, context: ServiceContext) -> None:
        last: int | None = None
        while self._waiting and not context.stopping.is_set():
            with suppress(Exception):  # the database is away: the next look tells what was missed
                last = await self._tell(context.database, last)
            await asyncio.sleep(INTERVAL)

    async def _tell(self, database: Database, last: int | None) -> int:
        async with database.reading() as session:
            if last is None:
                return await session.scalar(select(func.coalesce(func.max(changes.c.number), 0))) or 0
            found = (await session.execute(select(changes).where(changes.c.number > last).order_by(changes.c.number))).all()
        for row in found:
            for queue, (ids, office) in self._waiting.items():
                if (row.noun_id in ids or (office and row.office == office)) and queue.empty():
                    queue.put_nowait(None)
        return found[-1].number if found else last


async def show_changes(request: Request) -> Response:
    """The stream of a page. It contains no data: who may see the page fetches it again."""
    context: ServiceContext = request.app.state.context
    known = context.use(Changes)
    if known.is_full:
        return PlainTextResponse("Too many pages are live at the moment.", 503, {"retry-after": "30"})
    try:
        ids = frozenset(map(UUID, filter(None, request.query_params.get("ids", "").split(",")[:MAX_IDS])))
    except ValueError:
        return PlainTextResponse("`ids` must be ids.", 400)
    stream = known.of(ids, request.query_params.get("office", "")[:5], context)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})


routes = [Route("/portal/changes", show_changes)]
