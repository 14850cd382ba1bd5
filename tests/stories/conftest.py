"""The whole system, once for all stories: a real nats-server, five services, two partners, customs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import httpx
import nkeys
import pytest
import pytest_asyncio
from nats.aio.client import Client

from cli.demo.accounts import Account, Mailbox
from cli.demo.examples import Example, all_examples
from cli.demo.journeys import LOOK_AGAIN, ZONE, at_its_end
from cli.demo.people import Exporter, Journey, Ministry, until
from deploy.embedded.stack import Stack
from shared.bus.client import BusClient, NobodyAnswers
from shared.bus.connection import connect, tls_context
from shared.contracts import operations
from shared.security.event_signatures import EventSigner
from tests.support.ports import free_ports

PARTNERS = ("VN", "MY")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All stories share one system, so they share its loop."""
    for item in items:
        if "tests/stories" in str(item.path):
            item.add_marker(pytest.mark.asyncio(loop_scope="package"), append=False)


class System(Protocol):
    """A running instance, wherever its processes are."""

    services: tuple[str, ...]
    nats_url: str
    administrator_password: str
    mail_dir: Path

    def seed(self, user: str, country: str | None = None) -> str:
        """The seed of a user of the bus."""

    def address(self, service: str, country: str | None = None) -> str:
        """Where a service is reached over HTTP."""


@dataclass
class RunningSystem:
    """A running instance, the people who use it, and the public page."""

    stack: Any
    portal: BusClient
    operator: BusClient
    ministry: Ministry
    web: httpx.AsyncClient
    ca_file: Path | None = None

    async def on_the_bus_as(self, user: str) -> Client:
        """A connection of one of the users of the bus."""
        return await connect(user, self.stack.nats_url, self.stack.seed(user), self.ca_file)

    async def announce_bytes(self, service: str, subject: str, body: bytes) -> None:
        """Puts any bytes on the stream that a service has signed."""
        client = await self.on_the_bus_as(service)
        signer = EventSigner(nkeys.from_seed(self.stack.seed(service).strip().encode()))
        await client.jetstream().publish(subject, body, headers=signer.headers(subject, uuid4(), body))
        await client.close()

    async def answers(self, service: str) -> bool:
        """Whether a service says within two seconds how it is."""
        async with BusClient(await self.on_the_bus_as("operator"), patience=2) as impatient:
            try:
                await impatient.ask(operations.AskHealth(), service=service)
            except NobodyAnswers:
                return False
        return True

    async def until_known(self, fact: str, exporter: Exporter, *, known: bool = True) -> None:
        """Waits until certificates knows a fact of the exporter, or no longer does."""
        company = str(exporter.exporter_id)

        async def look() -> bool | None:
            keys = await self.operator.ask(operations.ListKeys(fact=fact, limit=operations.MAX_KEYS), service="certificates")
            return True if (company in keys.keys) is known else None

        await until(look, f"certificates to know that an exporter is among the {fact}: {known}")

    async def journey(self, example: Example) -> Journey:
        """A consignment up to its draft, of an exporter of its own."""
        exporter = await Exporter.register(self.portal, self.ministry, example)
        return await Journey.begin(example, exporter, self.ministry, datetime.now(ZONE).date())

    async def travel(self, example: Example) -> dict[str, Any]:
        """A consignment from registration to its last public code: what the public page says."""
        journey = await self.journey(example)
        await journey.submit()
        await self.decide(journey)
        state = await journey.issued()
        arrival, look_again = f"{state.reference} to arrive", LOOK_AGAIN
        return await until(lambda: at_its_end(self.web, str(state.reference)), arrival, within=60, look_again=look_again)

    async def prepare(self, journey: Journey) -> None:
        """Fee paid, reviewed."""
        await journey.pay(await journey.invoice(), datetime.now(ZONE).date())
        await journey.review()

    async def decide(self, journey: Journey) -> None:
        """Fee paid, reviewed, approved."""
        await self.prepare(journey)
        await journey.approve()


def to(destination: str, status: str = "REC") -> Example:
    """An example that goes there and ends so."""
    found = [e for e in all_examples() if (e.destination, e.expected.status) == (destination, status) and not e.remarks]
    return found[0]


@asynccontextmanager
async def a_running_system(root: Path, partners: tuple[str, ...]) -> AsyncIterator[RunningSystem]:
    """A whole system with its officers."""
    async with Stack(root, partners=partners, ports=free_ports) as stack, the_people_of(stack) as system:
        yield system


@asynccontextmanager
async def the_people_of(
    running: System, ca_file: Path | None = None, asker: type[BusClient] = BusClient
) -> AsyncIterator[RunningSystem]:
    """The officers of a running system, and those who ask it. `ca_file`: whom to trust where the system shows certificates."""
    async with (
        await asker.connect("portal", running.nats_url, running.seed("portal"), ca_file, patience=60) as portal,
        await BusClient.connect("operator", running.nats_url, running.seed("operator"), ca_file) as operator,
        httpx.AsyncClient(base_url=running.address("tracking"), verify=tls_context(ca_file) or True, timeout=10) as web,
    ):
        administrator = Account("administrator@ministry.example", running.administrator_password)
        ministry = await Ministry.open(portal, administrator, Mailbox(running.mail_dir))
        yield RunningSystem(running, portal, operator, ministry, web, ca_file)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSystem]:
    async with a_running_system(tmp_path_factory.mktemp("nation"), PARTNERS) as system:
        yield system
