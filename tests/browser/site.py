"""The portal on a real port, for a real browser: the services of `tests/support/portal.py` in a thread of their own."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeVar

import uvicorn

from tests.conftest import eventually
from tests.support.portal import System, a_system
from tests.support.ports import free_port

T = TypeVar("T")


class LiveSite:
    """A running portal. `address`: without a slash at the end. `do` runs something in the loop of the services."""

    def __init__(self, root: Path) -> None:
        self.port = free_port()
        self.address = f"http://localhost:{self.port}"
        self._root = root
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self.system: System

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine among the services, and returns its result."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(timeout=60)

    def run(self, started: Callable[[], None]) -> None:
        """Serves until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(started))

    def stop(self) -> None:
        """Ends `run`."""
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, started: Callable[[], None]) -> None:
        async with a_system(self._root) as self.system:
            app = self.system.http.app
            server = uvicorn.Server(
                uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="warning", access_log=False, lifespan="off")
            )
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            serving = asyncio.create_task(server.serve())
            await eventually(lambda: server.started)
            started()
            await self._stop.wait()
            server.should_exit = True
            self.system.services["portal"].context.stop()
            await serving


@contextmanager
def a_live_site(root: Path) -> Iterator[LiveSite]:
    """A running portal."""
    site, up = LiveSite(root), Event()
    thread = Thread(target=site.run, args=(up.set,), daemon=True)
    thread.start()
    if not up.wait(60):
        raise RuntimeError("the portal does not start")
    yield site
    site.stop()
    thread.join(timeout=20)
