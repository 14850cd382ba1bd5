"""The complete system on one machine with Python only: the bus, every service, and the partners' gateways."""

import asyncio
import fcntl
import json
import os
import ssl
import sys
from collections.abc import Iterable
from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx
from alembic.util import CommandError
from sqlalchemy import make_url

from deploy.embedded.layout import CUSTOMS_RULES, Layout, gateway_host, is_free, nats_server
from deploy.embedded.processes import Program, Report, StackFailed, Supervised
from deploy.nats.server_conf import Account, write_server_conf
from deploy.nats.stream import set_up_bus
from shared.bus.connection import connect
from shared.contracts.index import OPERATOR
from shared.database.migrations.schema import SchemaMismatch, migrate

READY_WITHIN = 60.0
OF_SERVICES = {
    "OTEL_BSP_SCHEDULE_DELAY": "500",
    "MALLOC_TRIM_THRESHOLD_": "131072",  # glibc returns large blocks, such as those of argon2, to the system
}
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE")


class Stack(Layout):
    """A layout that runs: `async with Stack(root) as stack`. All processes end with the block.

    `report` receives each state change of a process; `extra` are environment variables for every service.
    """

    def __init__(
        self,
        root: Path,
        *,
        report: Report = lambda name, state: None,
        customs_rules: Path = CUSTOMS_RULES,
        extra: dict[str, str] | None = None,
        **layout: Any,
    ) -> None:
        super().__init__(root, **layout)
        self.processes: dict[str, Supervised] = {}
        self._report = report
        self._customs_rules = customs_rules.resolve()
        self._extra = extra or {}
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with self._closing:
            await self._start()
            self._closing = self._closing.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def start(self, name: str) -> None:
        """Starts a stopped process and waits until it is ready."""
        await self.processes[name].start()
        await self.processes[name].ready(self._http, READY_WITHIN)

    async def stop(self, name: str) -> None:
        """Stops a process in order. It is not restarted."""
        await self.processes[name].stop()
        self._report(name, "stopped")

    async def restart(self, name: str) -> None:
        """Stops a process, starts it and waits until it is ready."""
        await self.stop(name)
        await self.start(name)

    def kill(self, name: str) -> None:
        """Kills a process. It is restarted like after a crash."""
        self.processes[name].kill()

    async def ready(self, names: Iterable[str] = ()) -> None:
        """Waits until these processes are ready; all by default. Raises StackFailed."""
        waiting = [asyncio.create_task(self._ready(name)) for name in (names or self.processes)]
        try:
            await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()

    async def _ready(self, name: str) -> None:
        await self.processes[name].ready(self._http, READY_WITHIN)

    async def _start(self) -> None:
        self._closing.enter_context(self._lock())
        self._check_ports()
        for folder in (self.log_dir, self.spans_dir, self.root / "data"):
            folder.mkdir(exist_ok=True)
        self.secrets.make(self.users, hosts=("localhost", *map(gateway_host, self.countries)), offices=self.offices)
        self._write_configuration()
        tls = ssl.create_default_context(cafile=self.secrets.ca_certificate)
        once = httpx.Limits(max_keepalive_connections=0)
        self._http = await self._closing.enter_async_context(
            httpx.AsyncClient(verify=tls, timeout=5, trust_env=False, limits=once)
        )

        self._closing.push_async_callback(self._stop_all)
        await self._run(self._nats())
        bus = asyncio.create_task(self._set_up_bus())
        self._closing.callback(bus.cancel)
        for program in self.surroundings():
            await self._run(program)
        for service, country in self.replicas:
            await asyncio.to_thread(self._migrate, service, country)
            await self._run(self._service(service, country))
        await bus
        await self.ready()

        self.state_file.write_text(self.state())
        self._closing.callback(self.state_file.unlink, missing_ok=True)

    def surroundings(self) -> list[Program]:
        """The programs that start before the services: here the customs systems."""
        return [self._customs()] if "gateway" in self.services or self.partners else []

    def _lock(self) -> ExitStack:
        """Locks the root against a second run. Raises StackFailed if it is locked."""
        self.root.mkdir(parents=True, exist_ok=True)
        closing = ExitStack()
        lock = closing.enter_context((self.root / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            closing.close()
            raise StackFailed(f"A stack already runs under {self.root}.") from None
        return closing

    def _check_ports(self) -> None:
        taken = [f"{port} ({name})" for name, port in self.ports.items() if not is_free(port)]
        if taken:
            raise StackFailed(f"Another process listens on port {', '.join(taken)}: stop it first.")

    def _write_configuration(self) -> None:
        accounts = tuple(
            Account(country, {user: self.secrets.public_keys(country, user, datetime.now(UTC)) for user in users})
            for country, users in self.users.items()
        )
        for country in self.countries:
            self.secrets.write_event_keys(country, self.announcers_of(country))
        write_server_conf(
            self.root / "nats" / "nats.conf",
            accounts,
            store_dir=self.root / "nats" / "store",
            listen=f"127.0.0.1:{self.ports['nats']}",
            monitor=f"127.0.0.1:{self.ports['nats-monitor']}",
        )
        for country in self.countries:
            file = self.partners_file(country)
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(self.partners_of(country), indent=2))

    async def _set_up_bus(self) -> None:
        await self._ready("nats")

        async def set_up(country: str) -> None:
            client = await connect(OPERATOR, self.nats_url, self.seed(OPERATOR, country))
            try:
                await set_up_bus(client.jetstream(timeout=10), self.services_of(country))
            finally:
                await client.close()

        await asyncio.gather(*map(set_up, self.countries))

    def _migrate(self, service: str, country: str) -> None:
        try:
            migrate(service, make_url(self.database_url(service, country)))
        except (CommandError, SchemaMismatch) as error:
            raise StackFailed(f"The database of {self.name(service, country)} cannot be migrated: {error}.") from error

    async def _run(self, program: Program) -> None:
        process = self.processes[program.name] = Supervised(program, self._report)
        await process.start()
        self._report(program.name, "started")

    async def _stop_all(self) -> None:
        """Stops all services, then the bus, because services publish their last events."""
        bus = self.processes.pop("nats", None)
        await asyncio.gather(*(process.stop() for process in self.processes.values()))
        if bus is not None:
            await bus.stop()

    def _nats(self) -> Program:
        url = f"http://127.0.0.1:{self.ports['nats-monitor']}/healthz"
        return self.program("nats", (str(nats_server()), "-c", str(self.root / "nats" / "nats.conf")), url)

    def _customs(self) -> Program:
        port = self.ports["customs"]
        module = ("deploy.embedded.customs", "--port", str(port), "--rules", str(self._customs_rules))
        return self.program("customs", (sys.executable, "-m", *module), f"http://127.0.0.1:{port}/ready", any_answer=True)

    def _service(self, service: str, country: str) -> Program:
        return self.program(
            self.name(service, country),
            self.command(service, country),
            f"{self.address(service, country)}/ready",
            environment=self.environment(service, country) | OF_SERVICES | self._extra,
        )

    def command(self, service: str, country: str) -> tuple[str, ...]:
        """The command that runs a service of a country."""
        return (sys.executable, "-m", f"services.{service}")

    def program(
        self,
        name: str,
        command: tuple[str, ...],
        ready_url: str,
        *,
        environment: dict[str, str] | None = None,
        any_answer: bool = False,
    ) -> Program:
        """A program with the inherited environment and its own."""
        inherited = {key: value for key, value in os.environ.items() if key in INHERITED or key.startswith("OTEL_")}
        return Program(name, command, self.log_file(name), ready_url, inherited | (environment or {}), any_answer)
