"""A running system for a measure: its officers, a registered exporter with an approved product, and drafts."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cli.demo.accounts import Account, Mailbox
from cli.demo.examples import Example, all_examples
from cli.demo.journeys import ZONE
from cli.demo.people import Exporter, Ministry
from deploy.embedded.layout import free_ports
from deploy.embedded.stack import Stack
from shared.bus.client import BusClient
from shared.contracts.certificates.issuing import DraftCertificate
from shared.contracts.certificates.products import RegisterProduct
from shared.contracts.roles import Role

SERVICES = ("registry", "certificates", "fees", "gateway", "tracking")
"""The services that the life of a certificate needs."""
PARTNER = "VN"
NEEDED = 500_000_000
"""Bytes on the disk."""
AT_ONCE = 16
"""Drafts that are made at the same time."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system and its people."""

    stack: Stack
    bus: BusClient
    ministry: Ministry
    exporter: Exporter
    example: Example
    products: list[RegisterProduct]
    today: date

    async def drafts(self, count: int) -> list[UUID]:
        """New drafts of the exporter; returns their ids."""
        slots = asyncio.Semaphore(AT_ONCE)
        consignment = self.example.consignment(self.products, self.today)

        async def one() -> UUID:
            certificate_id = uuid4()
            draft = DraftCertificate(
                certificate_id=certificate_id, exporter_id=self.exporter.exporter_id, consignment=consignment
            )
            async with slots:
                await self.exporter.person.ask(draft)
            return certificate_id

        return list(await asyncio.gather(*(one() for _ in range(count))))


def require_space(folder: Path) -> None:
    """Raises OSError if the disk is nearly full."""
    free = shutil.disk_usage(folder).free
    if free < NEEDED:
        raise OSError(f"the disk of {folder} has {free // 10**6} MB left, and a running system needs {NEEDED // 10**6} MB")


@asynccontextmanager
async def a_system(folder: Path, approvers: int, kind: type[Stack] = Stack, **layout: Any) -> AsyncIterator[System]:
    """Starts a system with one partner, whose customs accept everything, and ends it with the block.

    `approvers`: as of `people_of`. `kind`, `layout`: the class of the stack, and further arguments of it.
    Raises OSError if the disk is nearly full, and StackFailed.
    """
    require_space(folder)
    rules = folder / "customs.json"
    rules.write_text("[]")
    async with (
        kind(
            folder / "stack", partners=(PARTNER,), services=SERVICES, ports=free_ports, customs_rules=rules, **layout
        ) as stack,
        people_of(stack, approvers) as system,
    ):
        yield system


@asynccontextmanager
async def people_of(stack: Stack, approvers: int) -> AsyncIterator[System]:
    """The officers of a running stack, and an exporter. `approvers`: each can confirm a list twice a minute."""
    teams = {Role.REGISTRATION_OFFICER: 1, Role.REVIEWER: 1, Role.APPROVER: approvers, Role.CASHIER: 1}
    async with await BusClient.connect("portal", stack.nats_url, stack.seed("portal"), patience=60) as bus:
        administrator = Account("administrator@ministry.example", stack.administrator_password)
        ministry = await Ministry.open(bus, administrator, Mailbox(stack.mail_dir), teams=teams)
        example = next(each for each in all_examples() if each.destination == PARTNER)
        exporter = await Exporter.register(bus, ministry, example)
        products = example.products(exporter.exporter_id)
        await exporter.register_products(ministry, products)
        yield System(
            stack=stack,
            bus=bus,
            ministry=ministry,
            exporter=exporter,
            example=example,
            products=products,
            today=datetime.now(ZONE).date(),
        )
