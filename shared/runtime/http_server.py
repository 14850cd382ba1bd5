"""The HTTP server of every service: health, metrics, and the routes that the service owns."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.handling.work import ServiceContext
from shared.observability import metrics as gauges
from shared.operations.health import HealthCheck, measure_backlog, measure_keys
from shared.settings import Settings


def application(context: ServiceContext, routes: Sequence[BaseRoute]) -> Starlette:
    """`/live`, `/ready`, `/metrics` and the routes of one service."""
    check = context.use(HealthCheck)

    async def live(request: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(request: Request) -> Response:
        why = await check.problems()
        return JSONResponse({"ready": not why, "recovering": bool(context.recovering), "problems": why}, 503 if why else 200)

    async def metrics(request: Request) -> Response:
        gauges.ready.set(not await check.problems())
        # the other metrics matter most when the database or the bus is unavailable
        with suppress(Exception):
            async with asyncio.timeout(2), context.database.reading() as session:
                await measure_backlog(session, context.clock.now())
                await measure_keys(session, context.clock.now())
        with suppress(Exception):
            async with asyncio.timeout(2):
                gauges.waiting.labels("events").set((await check.events_waiting())[0])
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app = Starlette(routes=[Route("/live", live), Route("/ready", ready), Route("/metrics", metrics), *routes])
    app.state.context = context
    return app


class HttpServer(uvicorn.Server):
    """An HTTP server that leaves the handling of signals to its replica."""

    def __init__(self, app: Starlette, settings: Settings, **options: Any) -> None:
        """`options`: further options of `uvicorn.Config`."""
        self._stopping = asyncio.Event()
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
                forwarded_allow_ips=settings.trusted_proxies,
                timeout_graceful_shutdown=2,
                limit_concurrency=settings.http_connections,
                h11_max_incomplete_event_size=64 * 1024,
                **options,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Sets the date of answers once a second. uvicorn would look ten times a second whether to exit."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1)

    def stop(self) -> None:
        """Accepts no new request and ends after the requests in progress."""
        self.should_exit = True
        self._stopping.set()
