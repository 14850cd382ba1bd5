"""The portal's way to the other services: requests over the bus."""

import asyncio
from typing import Any

from shared.bus.client import BusClient
from shared.contracts.messages import Request
from shared.settings import Settings

PATIENCE = 8.0
"""Seconds for which a page waits for an answer."""


class Bus:
    """Connects at the first request, and then stays connected."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connecting = asyncio.Lock()
        self._client: BusClient | None = None

    async def client(self) -> BusClient:
        """The connected client."""
        async with self._connecting:
            if self._client is None:
                settings = self._settings
                seed = settings.nats_seed_file.read_text().strip()
                self._client = await BusClient.connect(
                    "portal", settings.nats_url, seed, settings.nats_ca_file, patience=PATIENCE
                )
            return self._client

    async def ask(self, request: Request, **how: Any) -> Any:
        """Sends a request. Raises AskRefused and NobodyAnswers, as `BusClient.ask` does."""
        return await (await self.client()).ask(request, **how)

    async def aclose(self) -> None:
        """Ends the connection."""
        if self._client is not None:
            await self._client.__aexit__()
