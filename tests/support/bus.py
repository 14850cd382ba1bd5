"""A real nats-server for one test, with the accounts, users and permissions of the embedded run."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nkeys
from nats.aio.client import Client

from deploy.nats.server_conf import Account, write_server_conf
from deploy.nats.stream import set_up_bus
from deploy.secrets import Secrets
from shared.bus.connection import connect
from shared.contracts.index import ASKERS, SERVICES
from shared.security.event_signatures import EventSigner, event_keys_json
from tests.support.ports import free_port

USERS = (*SERVICES, *ASKERS, "operator")


@dataclass
class Bus:
    """One nats-server with the account of one country."""

    root: Path
    port: int
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def secrets(self) -> Secrets:
        """The secrets of this bus."""
        return Secrets(self.root / "secrets")

    def seed_file(self, user: str) -> Path:
        """The file with a user's seed."""
        return self.secrets.seed("KH", user)

    @property
    def event_keys_file(self) -> Path:
        """The file with the public keys of the services."""
        return self.seed_file("operator").with_name("event-keys.json")

    def signer(self, service: str) -> EventSigner:
        """A signer with the key of a service."""
        return EventSigner(nkeys.from_seed(self.seed_file(service).read_bytes()))

    async def client(self, user: str, **options: object) -> Client:
        """A connection as one of the users."""
        return await connect(user, self.url, self.seed_file(user).read_text().strip(), **options)

    async def start(self) -> None:
        """Starts the server and waits until it answers."""
        server = Path(sys.executable).parent / "nats-server"
        log = (self.root / "nats.log").open("ab")
        self.process = await asyncio.create_subprocess_exec(server, "-c", self.root / "nats.conf", stdout=log, stderr=log)
        for _ in range(1000):
            if self.process.returncode is not None:
                break
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
        raise RuntimeError((self.root / "nats.log").read_text())

    async def start_with(self, change: Callable[[str], str]) -> None:
        """Changes the configuration and restarts the server."""
        conf = self.root / "nats.conf"
        conf.write_text(change(conf.read_text()))
        await self.kill()
        await self.start()

    def reload_with(self, change: Callable[[str], str]) -> None:
        """Changes the configuration and lets the running server reload it."""
        conf = self.root / "nats.conf"
        conf.write_text(change(conf.read_text()))
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    async def kill(self) -> None:
        """Kills the server, like a crash."""
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def a_bus(root: Path) -> AsyncIterator[Bus]:
    """A running bus with its stream and consumers."""
    bus = Bus(root, free_port())
    bus.secrets.make({"KH": USERS})
    account = Account("KH", {user: bus.secrets.public_keys("KH", user, datetime.now(UTC)) for user in USERS})
    bus.event_keys_file.write_bytes(event_keys_json(bus.secrets.event_keys("KH", SERVICES)))
    write_server_conf(
        root / "nats.conf",
        (account,),
        store_dir=root / "jetstream",
        listen=f"127.0.0.1:{bus.port}",
        monitor=f"127.0.0.1:{free_port()}",
    )
    await bus.start()
    try:
        operator = await bus.client("operator")
        await set_up_bus(operator.jetstream())
        await operator.close()
        yield bus
    finally:
        await bus.kill()
