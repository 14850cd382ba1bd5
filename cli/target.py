"""How `co` connects to a running system: the embedded run on this machine, or a given bus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import ServiceUnavailableError

from deploy.embedded.layout import Layout
from deploy.secrets import EVENT_KEYS
from shared.bus.client import BusClient
from shared.bus.connection import connect
from shared.bus.stream import NO_JETSTREAM, NOT_FOR_ACCOUNT
from shared.contracts.index import OPERATOR, SERVICES
from shared.security.event_signatures import EventKeys

CONNECTS_WITHIN = 5.0
PATIENCE = 3.0


class CommandFailed(Exception):
    """A command cannot run. The message gives the reason in one sentence."""


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """The system of a command: a bus with a seed, or by default the one that `co up` runs under `--root`."""

    root: Path = Path("var")
    country: str | None = None
    """The country of the account, if there are several."""
    nats_url: Annotated[str | None, Parameter(env_var="CO_NATS_URL")] = None
    seed_file: Annotated[Path | None, Parameter(env_var="CO_NATS_SEED_FILE")] = None
    """The file with the seed of the operator's user on the bus."""
    ca_file: Annotated[Path | None, Parameter(env_var="CO_NATS_CA_FILE")] = None
    event_keys_file: Annotated[Path | None, Parameter(env_var="CO_EVENT_KEYS_FILE")] = None
    """The file with the public keys to verify events; by default beside the seed."""
    services: tuple[str, ...] = SERVICES
    """The services on this bus."""

    def target(self, user: str = OPERATOR) -> "Target":
        """The bus, for one of its users. The seed file must hold the seed of this user. Raises CommandFailed."""
        if self.nats_url and self.seed_file:
            keys_file = self.event_keys_file or self.seed_file.with_name(EVENT_KEYS)
            return Target(self.nats_url, _read(self.seed_file), self.services, self.ca_file, user, keys_file)
        if self.nats_url or self.seed_file:
            raise CommandFailed("Give both --nats-url and --seed-file, or neither to use the stack that runs here.")
        layout = running(self.root)
        country = self.country or layout.country
        if country not in layout.countries:
            raise CommandFailed(f"The stack under {self.root} serves {', '.join(layout.countries)}, not {country}.")
        keys_file = layout.event_keys_file(country)
        return Target(layout.nats_url, layout.seed(user, country), layout.services_of(country), None, user, keys_file)

    def seeds(self) -> Path:
        """The folder of the operator's seed. Raises CommandFailed."""
        if self.seed_file:
            return self.seed_file.parent
        layout = running(self.root)
        return layout.secrets.seed(self.country or layout.country, OPERATOR).parent


@dataclass(frozen=True)
class Target:
    """A bus, the seed of one of its users, and the services on it."""

    nats_url: str
    seed: str
    services: tuple[str, ...]
    ca_file: Path | None = None
    user: str = OPERATOR
    event_keys_file: Path | None = None

    def event_keys(self) -> EventKeys:
        """The public keys to verify events. Raises CommandFailed."""
        if self.event_keys_file is None:
            raise CommandFailed("Give --event-keys-file: the public keys to verify events.")
        try:
            return EventKeys(self.event_keys_file)
        except (OSError, ValueError) as error:
            raise CommandFailed(f"The keys in {self.event_keys_file} cannot be read: {type(error).__name__}.") from error

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connection to the bus as this user. Raises CommandFailed."""
        try:
            async with asyncio.timeout(CONNECTS_WITHIN):
                client = await connect(self.user, self.nats_url, self.seed, self.ca_file, error_cb=_raise)
        except (OSError, NatsError) as error:
            why = str(error).removeprefix("nats: ") or "it does not answer"
            raise CommandFailed(f"The bus at {self.nats_url} cannot be used: {why}.") from error
        try:
            yield client
        except ServiceUnavailableError as error:
            missing = error.err_code in (None, NOT_FOR_ACCOUNT)
            why = f"it has no JetStream: {NO_JETSTREAM}" if missing else str(error.description)
            raise CommandFailed(f"The bus at {self.nats_url} cannot be used: {why}.") from error
        finally:
            await client.close()

    @asynccontextmanager
    async def bus_client(self, patience: float = PATIENCE) -> AsyncIterator[BusClient]:
        """A client that sends requests as this user. `patience`: its time-out in seconds. Raises CommandFailed."""
        async with self.client() as client:
            yield BusClient(client, patience=patience)

    def only(self, service: str | None) -> tuple[str, ...]:
        """The named service, or all. Raises CommandFailed if there is no such service."""
        if service is None:
            return self.services
        if service not in self.services:
            raise CommandFailed(f"There is no service {service}; there are {', '.join(self.services)}.")
        return (service,)


async def _raise(error: Exception) -> None:
    """Without this the client would reconnect for ever; a command fails at once."""
    raise error


def running(root: Path) -> Layout:
    """The stack that runs under a root. Raises CommandFailed."""
    try:
        return Layout.of_running(root)
    except FileNotFoundError:
        raise CommandFailed(
            f"No stack runs under {root}: start one with `co up`, or give --nats-url and --seed-file."
        ) from None


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        raise CommandFailed(f"The seed in {file} cannot be read: {error.strerror}.") from None
