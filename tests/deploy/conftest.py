"""A real nats-server with the permissions of this release, one for each test module."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from deploy.embedded.layout import nats_server
from deploy.nats.permissions import USERS
from deploy.nats.server_conf import Account, write_server_conf
from deploy.nats.stream import set_up_bus
from deploy.secrets import Secrets
from shared.bus.connection import inbox_prefix
from shared.contracts.index import SERVICES
from tests.support.ports import free_ports

USERS_OF = {"KH": USERS, "VN": ("gateway", "operator")}


class Bus:
    """A running server with the accounts of two countries, and its users."""

    def __init__(self, folder: Path) -> None:
        self.ports = free_ports(("nats", "monitor"))
        self.url = f"nats://127.0.0.1:{self.ports['nats']}"
        self.secrets = Secrets(folder / "secrets")
        self.secrets.make(USERS_OF)
        self.config = folder / "nats.conf"
        write_server_conf(
            self.config,
            tuple(
                Account(country, {user: self.secrets.public_keys(country, user, datetime.now(UTC)) for user in users})
                for country, users in USERS_OF.items()
            ),
            store_dir=folder / "stream",
            listen=f"127.0.0.1:{self.ports['nats']}",
            monitor=f"127.0.0.1:{self.ports['monitor']}",
        )

    @asynccontextmanager
    async def user(self, name: str, country: str = "KH", **options: Any) -> AsyncIterator["User"]:
        """A connection of one user. It records the refusals of the server."""
        refused: list[str] = []

        async def record(error: Exception) -> None:
            refused.append(str(error))

        client = await nats.connect(
            self.url,
            nkeys_seed_str=self.secrets.seed(country, name).read_text(),
            error_cb=record,
            allow_reconnect=False,
            reconnect_time_wait=0.02,
            **{"inbox_prefix": inbox_prefix(name).encode()} | options,
        )
        try:
            yield User(client, refused)
        finally:
            await client.close()


class User:
    """Tries subjects as a user of the bus, and returns whether the server allows them."""

    def __init__(self, client: Client, refused: list[str]) -> None:
        self.client = client
        self._refused = refused

    async def may_publish(self, subject: str) -> bool:
        await self.client.publish(subject, b"{}")
        return await self._was_allowed()

    async def may_subscribe(self, subject: str, queue: str = "") -> bool:
        subscription = await self.client.subscribe(subject, queue)
        allowed = await self._was_allowed()
        if allowed:
            await subscription.unsubscribe()
        return allowed

    async def settle(self) -> None:
        """Waits until the server has processed everything that was sent."""
        await self.client.flush()  # this client sends PING before its pending messages,
        await self.client.flush()  # so only the second PONG follows them

    async def _was_allowed(self) -> bool:
        await self.settle()
        allowed = not self._refused
        self._refused.clear()
        return allowed


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    bus = Bus(tmp_path_factory.mktemp("bus"))
    server = subprocess.Popen([nats_server(), "-c", bus.config, "-l", bus.config.with_suffix(".log")])

    async def set_up() -> None:
        while True:
            try:
                async with bus.user("operator") as operator:
                    await set_up_bus(operator.client.jetstream(), SERVICES)
                async with bus.user("operator", "VN") as operator:
                    await set_up_bus(operator.client.jetstream(), ("gateway",))
                return
            except (OSError, nats.errors.NoServersError):
                assert server.poll() is None, bus.config.with_suffix(".log").read_text()
                await asyncio.sleep(0.02)

    try:
        asyncio.run(set_up())
        yield bus
    finally:
        server.terminate()
        server.wait()
