"""How `co` reaches a running system: the stack that runs here, or the bus it is told."""

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
    """A command cannot do what it was asked; the message says why in one sentence."""


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Which system is meant: the one that `co up` runs under `--root`, unless an address and a seed are given."""

    root: Path = Path("var")
    country: str | None = None
    """The country whose account is meant, where several run."""
    nats_url: Annotated[str | None, Parameter(env_var="CO_NATS_URL")] = None
    seed_file: Annotated[Path | None, Parameter(env_var="CO_NATS_SEED_FILE")] = None
    """The seed of the operator's user on the bus."""
    ca_file: Annotated[Path | None, Parameter(env_var="CO_NATS_CA_FILE")] = None
    event_keys_file: Annotated[Path | None, Parameter(env_var="CO_EVENT_KEYS_FILE")] = None
    """The public keys that events are verified with; beside the seed, where it is not said."""
    services: tuple[str, ...] = SERVICES
    """The services on the bus at that address."""

    def target(self, user: str = OPERATOR) -> "Target":
        """The bus that is meant, for one of its users: the seed file holds the seed of that one. Raises CommandFailed."""
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
    """A bus, the seed of one of its users, and the services that are on it."""

    nats_url: str
    seed: str
    services: tuple[str, ...]
    ca_file: Path | None = None
    user: str = OPERATOR
    event_keys_file: Path | None = None

    def event_keys(self) -> EventKeys:
        """The public keys that events are verified with. Raises CommandFailed."""
        if self.event_keys_file is None:
            raise CommandFailed("Say --event-keys-file: the public keys that events are verified with.")
        try:
            return EventKeys(self.event_keys_file)
        except (OSError, ValueError) as error:
            raise CommandFailed(f"The keys in {self.event_keys_file} cannot be read: {type(error).__name__}.") from error

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connection as that user. Raises CommandFailed."""
        try:
            async with asyncio.timeout(CONNECTS_WITHIN):
                client = await connect(self.user, self.nats_url, self.seed, self.ca_file, error_cb=_give_up)
        except (OSError, NatsError) as error:
            why = str(error).removeprefix("nats: ") or "it does not answer"
            raise CommandFailed(f"The bus at {self.nats_url} cannot be used: {why}.") from error
        try:
            yield client
        except ServiceUnavailableError as error:
            lacking = error.err_code in (None, NOT_FOR_ACCOUNT)
            why = f"it has no JetStream: {NO_JETSTREAM}" if lacking else str(error.description)
            raise CommandFailed(f"The bus at {self.nats_url} cannot be used: {why}.") from error
        finally:
            await client.close()

    @asynccontextmanager
    async def asker(self, patience: float = PATIENCE) -> AsyncIterator[BusClient]:
        """Asks the services as that user. Raises CommandFailed."""
        async with self.client() as client:
            yield BusClient(client, patience=patience)

    def only(self, service: str | None) -> tuple[str, ...]:
        """One service, or all. Raises CommandFailed where there is no such service."""
        if service is None:
            return self.services
        if service not in self.services:
            raise CommandFailed(f"There is no service {service}; there are {', '.join(self.services)}.")
        return (service,)


async def _give_up(error: Exception) -> None:
    """The client would try for ever; a person at a terminal wants to know at once."""
    raise error


def running(root: Path) -> Layout:
    """The stack that runs under a root. Raises CommandFailed."""
    try:
        return Layout.of_running(root)
    except FileNotFoundError:
        raise CommandFailed(f"No stack runs under {root}: start one with `co up`, or say --nats-url and --seed-file.") from None


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        raise CommandFailed(f"The seed in {file} cannot be read: {error.strerror}.") from None
