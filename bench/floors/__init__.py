"""Floors: the same work without the product, by raw libraries. Each runs in its own process until SIGTERM."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client


def given() -> dict[str, Any]:
    """The JSON object in the first argument. `seed`: the content of its `seed_file`."""
    values: dict[str, Any] = json.loads(sys.argv[1])
    return values | {"seed": Path(values["seed_file"]).read_text().strip()}


async def run(url: str, seed: str, user: str, serve: Callable[[Client], Awaitable[None]]) -> None:
    """Connects as a user of the bus, says `ready`, and runs `serve` until SIGTERM; `serve` may return before.

    Raises the first error of `serve`, of the connection or of a subscription: a full disk ends the floor.
    """
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def fail(error: Exception) -> None:
        if not over.done():
            over.set_exception(error)

    async def served(client: Client) -> None:
        try:
            await serve(client)
        except Exception as error:
            await fail(error)

    client = await nats.connect(url, nkeys_seed_str=seed, inbox_prefix=f"_INBOX_{user}".encode(), error_cb=fail)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.cancel)
    serving = asyncio.create_task(served(client))
    try:
        await asyncio.wait({serving}, timeout=0.2)
        await client.flush()
        print("ready", flush=True)
        await over
    except asyncio.CancelledError:
        serving.cancel()
        await client.close()
