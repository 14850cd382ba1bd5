"""HTTP at the rim of every service: health, metrics, and whatever addresses the service owns."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.observability import metrics as figures
from shared.operations.health import measure_keys, what_waits
from shared.settings import Settings
from shared.handling.work import ServiceContext


async def _none_known() -> tuple[int, int]:
    raise RuntimeError("nobody has said how to learn what waits in the stream")


def application(
    context: ServiceContext,
    problems: Callable[[], Awaitable[list[str]]],
    routes: Sequence[BaseRoute],
    events_waiting: Callable[[], Awaitable[tuple[int, int]]] = _none_known,
) -> Starlette:
    """`/live`, `/ready`, `/metrics` and the routes of one service."""

    async def live(request: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(request: Request) -> Response:
        found = await problems()
        answer = {"ready": not found, "recovering": bool(context.recovering), "problems": found}
        return JSONResponse(answer, status_code=503 if found else 200)

    async def metrics(request: Request) -> Response:
        figures.ready.set(not await problems())
        # the other figures are wanted most when the database or the bus is away
        with suppress(Exception):
            async with asyncio.timeout(2), context.database.reading() as session:
                await what_waits(session, context.clock.now())
                await measure_keys(session, context.clock.now())
        with suppress(Exception):
            async with asyncio.timeout(2):
                figures.waiting.labels("events").set((await events_waiting())[0])
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/live", live), Route("/ready", ready), Route("/metrics", metrics), *routes])
    app.state.context = context
    return app


class HttpServer(uvicorn.Server):
    """A web server that leaves signals to the service it belongs to."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.http_host,
                port=settings.http_port,
                ssl_certfile=settings.tls_certificate_file,
                ssl_keyfile=settings.tls_key_file,
                log_config=None,
                log_level=logging.WARNING,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=2,
                limit_concurrency=200,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Takes no new request and ends when those in progress are answered."""
        self.should_exit = True
