"""The room of the bus. nats-py imports aiohttp for WebSockets if it is installed: 8 MB of memory that no service uses."""

import sys

if "aiohttp" not in sys.modules:
    sys.modules["aiohttp"] = None  # type: ignore[assignment]
    import nats.aio.transport  # noqa: F401

    del sys.modules["aiohttp"]  # others may import it
