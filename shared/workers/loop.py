"""The loop of background work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shared.observability.logs import error_text
from shared.workers.retries import delay_after

log = logging.getLogger(__name__)

MAX_PAUSE = 5.0


async def run_forever(step: Callable[[], Awaitable[bool]], wake: asyncio.Event, sweep: float, stopping: asyncio.Event) -> None:
    """Repeats `step` until `stopping`: at once while it returns True, else when woken or after `sweep` seconds.

    A step that fails is logged and retried with a growing delay of at most five seconds.
    """
    failures = 0
    while not stopping.is_set():
        wake.clear()
        try:
            more = await step()
            failures = 0
        except Exception as error:
            failures += 1
            name = getattr(step, "__qualname__", repr(step))
            log.warning("background work failed", extra={"step": name, "error": error_text(error), "failures": failures})
            await asyncio.sleep(min(delay_after(failures), MAX_PAUSE))
            continue
        if not more:
            try:
                await asyncio.wait_for(wake.wait(), sweep)
            except TimeoutError:
                pass
