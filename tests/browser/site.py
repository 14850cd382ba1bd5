"""The portal and the public site on real ports, for a real browser: the services of `tests/support/portal.py` in a thread."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import uvicorn

from services.tracking.certificate_pages import CertificatePages
from services.tracking.data_files import DataFiles
from services.tracking.figures import Figures
from services.tracking.handlers import router as tracking
from services.tracking.limits import Limits
from services.tracking.live import Watching
from services.tracking.look_ups import LookUps
from services.tracking.routes import routes
from shared.runtime.http_server import application
from shared.web.site import Site
from tests.conftest import eventually
from tests.registry.people import Human
from tests.support.portal import SERVICES, System, a_system
from tests.support.ports import free_port
from tests.support.service_under_test import PHNOM_PENH, a_health_check, a_service_under_test

T = TypeVar("T")


class LiveSite:
    """A running portal and a running public site. The addresses have no slash at the end."""

    def __init__(self, root: Path) -> None:
        self._port, self._public_port = free_port(), free_port()
        self.address, self.public = f"http://localhost:{self._port}", f"http://localhost:{self._public_port}"
        self._root = root
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.system: System

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine among the services, and returns its result."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=60)

    def code_of(self, human: Human) -> str:
        """A new code of a person's authenticator."""

        async def later() -> str:
            human.later()
            return human.code()

        return self.do(later())

    def run(self, started: Callable[[], None]) -> None:
        """Serves until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))

    def stop(self) -> None:
        """Ends `run`."""
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, started: Callable[[], None]) -> None:
        async with AsyncExitStack() as stack:
            self.system = system = await stack.enter_async_context(a_system(self._root, self.public, self.address))
            data = DataFiles()
            pages = Site(SERVICES / "tracking", PHNOM_PENH, links={"telegram": "", "portal": self.address})
            tools = (data, Limits(), Watching(), Figures(data), LookUps(), CertificatePages(data), pages, a_health_check())
            system.services["tracking"] = shown = await stack.enter_async_context(
                a_service_under_test("tracking", tracking, self._root, *tools)
            )
            shown.clock = shown.context.clock = system.registry.clock
            await stack.enter_async_context(_served(system.http.app, self._port))
            await stack.enter_async_context(_served(application(shown.context, routes), self._public_port))
            started()
            await self._stop.wait()
            for name in ("portal", "tracking"):
                system.services[name].context.stop()


@asynccontextmanager
async def _served(app: Any, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield
    server.should_exit = True
    await serving


@contextmanager
def a_live_site(root: Path) -> Iterator[LiveSite]:
    """A running portal and public site."""
    site, up = LiveSite(root), Event()
    thread = Thread(target=site.run, args=(up.set,), daemon=True)
    thread.start()
    if not up.wait(60):
        raise RuntimeError("the portal does not start")
    yield site
    site.stop()
    thread.join(timeout=20)
