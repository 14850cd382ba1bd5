"""The users of the demo: exporters and officers. They use the system by messages on the bus with their tokens only."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from pathlib import Path
from time import monotonic
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from PIL import Image
from pypdf import PdfWriter

from cli.demo.accounts import MAX_CODES, SIGNED_OUT, STEP_UP_REFUSED, Account, AccountClient, Mailbox, needs_step_up
from cli.demo.examples import Example
from shared.bus.client import AskRefused, BusClient
from shared.contracts.certificates.products import ApproveProduct, RegisterProduct
from shared.contracts.messages import Request
from shared.contracts.registry.identity import Session
from shared.contracts.registry.particulars import DocumentKind, PutRegistrationFile, Representative
from shared.contracts.registry.registrations import ApplyForRegistration, ApproveRegistration, AttachRegistrationDocument
from shared.contracts.registry.users import AcceptInvitation, InviteOfficer
from shared.contracts.roles import Role

T = TypeVar("T")

PDF_DOCUMENTS = (
    DocumentKind.CERTIFICATE_OF_INCORPORATION,
    DocumentKind.LETTER_OF_AUTHORISATION,
    DocumentKind.IDENTITY_DOCUMENT,
)

PATIENCE = 60.0
"""The time-out of `until`, in seconds."""

TEAMS = {Role.REGISTRATION_OFFICER: 6, Role.REVIEWER: 1, Role.APPROVER: 6, Role.CASHIER: 1}
"""The number of officers of each role: enough to confirm without waiting for codes."""


OFFICER_NAMES: list[str] = json.loads(Path(__file__).with_name("data").joinpath("officers.json").read_text())


async def until(look: Callable[[], Awaitable[T | None]], what: str, within: float = PATIENCE, interval: float = 0.02) -> T:
    """Calls `look` every `interval` seconds until it returns a value. Raises TimeoutError that names `what`."""
    last = monotonic() + within
    while True:
        if (found := await look()) is not None:
            return found
        if monotonic() > last:
            raise TimeoutError(f"waited {within:.0f} s for {what}")
        await asyncio.sleep(interval)


@dataclass(frozen=True)
class Person:
    """A signed-in user. Tokens are refreshed and commands are confirmed automatically."""

    bus: BusClient
    client: AccountClient

    @classmethod
    async def sign_in(cls, bus: BusClient, account: Account) -> Self:
        """Signs in. An officer sets up the second factor at the first sign-in."""
        return cls(bus, await AccountClient.begin(bus, account))

    @property
    def session(self) -> Session:
        """The present session."""
        return self.client.session

    async def ask(self, request: Request, codes: int = MAX_CODES) -> Any:
        """Sends a request as this user, with at most `codes` codes to confirm it. Raises AskRefused."""
        return await self.client.ask(request, self.bus, codes)

    async def ask_while_refused(self, code: str, request: Request) -> Any:
        """Repeats a request while it is refused with this code, because an event has not arrived yet. Raises AskRefused."""

        async def look() -> Any:
            try:
                return await self.ask(request)
            except AskRefused as refused:
                if refused.refusal.code != code:
                    raise
                return None

        return await until(look, f"{type(request).__name__} not to be refused as {code}")


@dataclass(frozen=True)
class Officers:
    """Officers with the same role. They share the work, because each has one code in half a minute."""

    people: tuple[Person, ...]

    async def ask(self, request: Request) -> Any:
        """The officer who can confirm first sends the request. After a failure another officer does. Raises AskRefused."""
        while needs_step_up(request) and (person := self.next_officer()).client.confirmation_order()[0] == 0:
            try:
                return await person.ask(request, codes=1)
            except AskRefused as refused:
                if refused.refusal.code not in STEP_UP_REFUSED | SIGNED_OUT:
                    raise
        return await self.next_officer().ask(request)

    def next_officer(self) -> Person:
        """The officer who can confirm first."""
        return min(self.people, key=lambda person: person.client.confirmation_order())


@dataclass(frozen=True)
class Ministry:
    """The officers of the ministry, each with an account, and the administrator who has invited them."""

    administrator: Person
    registration_officer: Officers
    reviewer: Officers
    approver: Officers
    cashier: Officers

    @classmethod
    async def open(
        cls, bus: BusClient, account: Account, mailbox: Mailbox, office: str = "PNH", teams: Mapping[Role, int] = TEAMS
    ) -> Self:
        """The administrator signs in and invites officers for each role of `TEAMS`. They accept the invitations."""
        administrator = await Person.sign_in(bus, account)
        names = cycle(OFFICER_NAMES)
        sizes = {role: teams[role] for role in TEAMS}
        invited = (cls._invite_team(administrator, role, size, names, mailbox, office) for role, size in sizes.items())
        return cls(administrator, *await asyncio.gather(*invited))

    @staticmethod
    async def _invite_team(
        administrator: Person, role: Role, size: int, names: Iterator[str], mailbox: Mailbox, office: str
    ) -> Officers:
        async def one(name: str) -> Person:
            user_id = uuid4()
            account = Account(f"{role}-{user_id.hex[:8]}@ministry.example", f"{uuid4()}")
            invitation = InviteOfficer(user_id=user_id, name=name, email=account.email, roles=(role,), office=office)
            await administrator.ask(invitation)
            return await follow_invitation(administrator.bus, account, mailbox)

        return Officers(tuple(await asyncio.gather(*(one(next(names)) for _ in range(size)))))


async def follow_invitation(bus: BusClient, account: Account, mailbox: Mailbox) -> Person:
    """Waits for the email, chooses the password and signs in."""

    async def look() -> str | None:
        return mailbox.link(account.email, "invitation")

    token = await until(look, f"an email to {account.email}")
    await bus.ask(AcceptInvitation(token=token, password=account.password))
    return await Person.sign_in(bus, account)


def registration_documents() -> dict[DocumentKind, tuple[bytes, str]]:
    """The documents of an application with their media types: PDF files with an empty page, and a photo."""
    found: dict[DocumentKind, tuple[bytes, str]] = {}
    for kind in PDF_DOCUMENTS:
        document, file = PdfWriter(), BytesIO()
        document.add_blank_page(width=595, height=842)  # A4
        document.add_metadata({"/Title": kind.replace("_", " ").capitalize()})
        document.write(file)
        found[kind] = (file.getvalue(), "application/pdf")
    photo = BytesIO()
    Image.new("RGB", (400, 600), "steelblue").save(photo, "PNG")
    return found | {DocumentKind.PHOTO: (photo.getvalue(), "image/png")}


@dataclass(frozen=True)
class Exporter:
    """A registered company and its user."""

    person: Person
    exporter_id: UUID

    @classmethod
    async def register(cls, bus: BusClient, ministry: Ministry, example: Example) -> Self:
        """The company of an example applies with its documents, and an officer approves."""
        exporter = await cls.apply(bus, example)
        await exporter.attach_documents()
        await ministry.registration_officer.ask(ApproveRegistration(exporter_id=exporter.exporter_id))
        return exporter

    @classmethod
    async def apply(cls, bus: BusClient, example: Example) -> Self:
        """The company applies, and its first user signs in."""
        exporter_id, password = uuid4(), f"{uuid4()}"
        email = f"exports-{exporter_id.hex[:8]}@company.example"
        await bus.ask(
            ApplyForRegistration(
                exporter_id=exporter_id,
                company_name=example.exporter_name,
                company_name_km=example.exporter_name_km,
                address=example.exporter_address,
                district=example.exporter_district,
                phone="+855 23 123 456",
                tax_number=f"K{exporter_id.int % 10**12:012}",
                administrator_name="Chan Dara",
                representative=Representative(name="Chan Dara", name_km="ចាន់ ដារ៉ា", position="Export manager"),
                email=email,
                password=password,
            )
        )
        return cls(await Person.sign_in(bus, Account(email, password)), exporter_id)

    async def attach_documents(self) -> None:
        """The company attaches all documents of its application."""
        for kind, (content, media_type) in registration_documents().items():
            token = self.person.session.token
            digest = await self.person.bus.put_file(PutRegistrationFile, self.exporter_id, content, media_type, token)
            await self.person.ask(AttachRegistrationDocument(exporter_id=self.exporter_id, kind=kind, sha256=digest))

    async def register_products(self, ministry: Ministry, products: list[RegisterProduct]) -> None:
        """The exporter registers each product, and a reviewer approves its origin."""
        for product in products:
            await self.person.ask(product)
            await ministry.reviewer.ask(ApproveProduct(product_id=product.product_id))
