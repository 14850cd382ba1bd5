"""The whole system, once for all stories: a real nats-server, five services, two partners, customs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from cli.accounts import Account, Mailbox
from cli.demo import ZONE, at_its_end
from cli.examples import Example, all_examples
from cli.people import Exporter, Journey, Ministry, until
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack
from shared.asking import Asker

PARTNERS = ("VN", "MY")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All stories share one system, so they share its loop."""
    for item in items:
        if "tests/stories" in str(item.path):
            item.add_marker(pytest.mark.asyncio(loop_scope="package"), append=False)


@dataclass
class Nation:
    """A running instance, the people who use it, and the public page."""

    stack: Stack
    portal: Asker
    operator: Asker
    ministry: Ministry
    web: httpx.AsyncClient

    async def journey(self, example: Example) -> Journey:
        """A consignment up to its draft, of an exporter of its own."""
        name, address = example.exporter_name, example.exporter_address
        exporter = await Exporter.register(self.portal, self.ministry, name, address)
        return await Journey.begin(example, exporter, self.ministry, datetime.now(ZONE).date())

    async def travel(self, example: Example) -> dict[str, Any]:
        """A consignment from registration to its last public code: what the public page says."""
        journey = await self.journey(example)
        await journey.submit()
        await self.decide(journey)
        state = await journey.issued()
        return await until(lambda: at_its_end(self.web, str(state.reference)), f"{state.reference} to arrive", within=60)

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
async def a_nation(root: Path, partners: tuple[str, ...]) -> AsyncIterator[Nation]:
    """A whole system with its officers."""
    async with (
        Stack(root, partners=partners, ports=free_ports) as stack,
        await Asker.connect("portal", stack.nats_url, stack.seed("portal"), patience=60) as portal,
        await Asker.connect("operator", stack.nats_url, stack.seed("operator")) as operator,
        httpx.AsyncClient(base_url=stack.address("tracking"), timeout=10) as web,
    ):
        administrator = Account("administrator@ministry.example", stack.administrator_password)
        ministry = await Ministry.open(portal, administrator, Mailbox(stack.letters_dir))
        yield Nation(stack, portal, operator, ministry, web)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def nation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nation]:
    async with a_nation(tmp_path_factory.mktemp("nation"), PARTNERS) as nation:
        yield nation
