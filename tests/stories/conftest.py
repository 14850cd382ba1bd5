"""The complete system, once for all stories: a real nats-server, five services, two partners, customs."""

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
from cli.demo.consignment import Journey
from cli.demo.examples import Example, all_examples
from cli.demo.journeys import POLL_SECONDS, ZONE, final_page
from cli.demo.people import Exporter, Ministry, until
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
    """A running instance, embedded or in containers."""

    services: tuple[str, ...]
    nats_url: str
    administrator_password: str
    mail_dir: Path

    def seed(self, user: str, country: str | None = None) -> str:
        """The seed of a user of the bus."""

    def address(self, service: str, country: str | None = None) -> str:
        """The HTTP address of a service."""


@dataclass
class RunningSystem:
    """A running instance with its users and a client of the public page."""

    stack: Any
    portal: BusClient
    operator: BusClient
    ministry: Ministry
    web: httpx.AsyncClient
    ca_file: Path | None = None

    async def connection_of(self, user: str) -> Client:
        """A connection of a user of the bus."""
        return await connect(user, self.stack.nats_url, self.stack.seed(user), self.ca_file)

    async def announce_bytes(self, service: str, subject: str, body: bytes) -> None:
        """Publishes bytes with the signature of a service."""
        client = await self.connection_of(service)
        signer = EventSigner(nkeys.from_seed(self.stack.seed(service).strip().encode()))
        await client.jetstream().publish(subject, body, headers=signer.headers(subject, uuid4(), body))
        await client.close()

    async def answers(self, service: str) -> bool:
        """Whether a service answers within two seconds."""
        async with BusClient(await self.connection_of("operator"), patience=2) as operator:
            try:
                await operator.ask(operations.AskHealth(), service=service)
            except NobodyAnswers:
                return False
        return True

    async def wait_for_fact(self, fact: str, exporter: Exporter, *, present: bool = True) -> None:
        """Waits until a fact of certificates contains the exporter, or no longer contains it."""
        company = str(exporter.exporter_id)

        async def look() -> bool | None:
            keys = await self.operator.ask(operations.ListKeys(fact=fact, limit=operations.MAX_KEYS), service="certificates")
            return True if (company in keys.keys) is present else None

        await until(look, f"the exporter in the fact {fact} of certificates: {present}")

    async def journey(self, example: Example) -> Journey:
        """A consignment with a draft, of a new exporter."""
        exporter = await Exporter.register(self.portal, self.ministry, example)
        return await Journey.begin(example, exporter, self.ministry, datetime.now(ZONE).date())

    async def travel(self, example: Example) -> dict[str, Any]:
        """Takes a consignment from registration to its last public code; returns the public page."""
        journey = await self.journey(example)
        await journey.submit()
        await self.decide(journey)
        state = await journey.issued()
        arrival, interval = f"{state.reference} to arrive", POLL_SECONDS
        return await until(lambda: final_page(self.web, str(state.reference)), arrival, within=60, interval=interval)

    async def prepare(self, journey: Journey) -> None:
        """Pays the fee and reviews the certificate."""
        await journey.pay(await journey.invoice(), datetime.now(ZONE).date())
        await journey.review()

    async def decide(self, journey: Journey) -> None:
        """Pays the fee, reviews and approves the certificate."""
        await self.prepare(journey)
        await journey.approve()


def to(destination: str, status: str = "REC") -> Example:
    """An example with this destination and this expected status."""
    found = [e for e in all_examples() if (e.destination, e.expected.status) == (destination, status) and not e.remarks]
    return found[0]


@asynccontextmanager
async def a_running_system(root: Path, partners: tuple[str, ...]) -> AsyncIterator[RunningSystem]:
    """A complete embedded system with its officers."""
    async with Stack(root, partners=partners, ports=free_ports) as stack, users_of(stack) as system:
        yield system


@asynccontextmanager
async def users_of(
    running: System, ca_file: Path | None = None, client_type: type[BusClient] = BusClient
) -> AsyncIterator[RunningSystem]:
    """The officers of a running system and its clients. `ca_file`: the certificate authority of a system with TLS."""
    async with (
        await client_type.connect("portal", running.nats_url, running.seed("portal"), ca_file, patience=60) as portal,
        await BusClient.connect("operator", running.nats_url, running.seed("operator"), ca_file) as operator,
        httpx.AsyncClient(base_url=running.address("tracking"), verify=tls_context(ca_file) or True, timeout=10) as web,
    ):
        administrator = Account("administrator@ministry.example", running.administrator_password)
        ministry = await Ministry.open(portal, administrator, Mailbox(running.mail_dir))
        yield RunningSystem(running, portal, operator, ministry, web, ca_file)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSystem]:
    async with a_running_system(tmp_path_factory.mktemp("system"), PARTNERS) as system:
        yield system
