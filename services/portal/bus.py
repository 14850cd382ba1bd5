"""The portal's way to the other services: requests over the bus."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from shared.bus.client import BusClient
from shared.contracts.messages import Request
from shared.settings import Settings

PATIENCE = 8.0
"""Seconds for which a page waits for an answer."""


class Bus:
    """Connects at the first request, and then stays connected. `connect` returns a `BusClient`."""

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._connecting = asyncio.Lock()
        self._client: Any = None

    async def ask(self, request: Request, **how: Any) -> Any:
        """Sends a request. Raises AskRefused and NobodyAnswers, as `BusClient.ask` does."""
        async with self._connecting:
            if self._client is None:
                self._client = await self._connect()
        return await self._client.ask(request, **how)

    async def aclose(self) -> None:
        """Ends the connection."""
        if self._client is not None:
            await self._client.__aexit__(None, None, None)


async def connect_as_portal(settings: Settings) -> BusClient:
    """Connects as the user `portal` of the bus."""
    seed = settings.nats_seed_file.read_text().strip()
    return await BusClient.connect("portal", settings.nats_url, seed, settings.nats_ca_file, patience=PATIENCE)
