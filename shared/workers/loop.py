"""Work that goes on in the background of a service for as long as it lives."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from shared.workers.retries import delay_after
from shared.observability.logs import error_text

log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0


async def run_forever(step: Callable[[], Awaitable[bool]], wake: asyncio.Event, sweep: float, stopping: asyncio.Event) -> None:
    """Steps until told to stop: again at once while there is more, else when woken or after `sweep` seconds.

    A step that fails is logged and made again, later and later, at most five seconds apart.
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
            log.warning("background work waits", extra={"step": name, "error": error_text(error), "failures": failures})
            await asyncio.sleep(min(delay_after(failures), LONGEST_PAUSE))
            continue
        if not more:
            try:
                await asyncio.wait_for(wake.wait(), sweep)
            except TimeoutError:
                pass
