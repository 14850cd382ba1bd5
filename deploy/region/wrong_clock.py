"""Runs a module with a wrong clock: `python -m deploy.region.wrong_clock SECONDS MODULE`. The clock is SECONDS ahead.

All machines of such a country have the same wrong clock. A service does not start if its clock and that of the bus differ.
"""

import runpy
import sys
from datetime import datetime, timedelta
from typing import Any

from shared.clock import Clock
from shared.runtime import replica, startup


def set_ahead(by: timedelta) -> None:
    """Moves the clock of this process, and the time that it reads from its bus."""
    now, of_bus = Clock.now, startup.time_of_bus

    async def time_of_bus(client: Any, service: str) -> datetime | None:
        read = await of_bus(client, service)
        return read and read + by

    Clock.now = lambda self: now(self) + by  # type: ignore[method-assign]
    replica.time_of_bus = time_of_bus  # type: ignore[attr-defined]


if __name__ == "__main__":
    seconds, module = sys.argv[1:3]
    set_ahead(timedelta(seconds=float(seconds)))
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__")
