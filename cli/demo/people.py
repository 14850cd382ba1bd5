"""The people of a story: exporters and officers, who reach the system only by messages on the bus with their tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from time import monotonic
from typing import Any, Self, TypeVar
from uuid import UUID, uuid4

from PIL import Image
from pypdf import PdfWriter

from cli.demo.accounts import MOST_CODES, SIGNED_OUT, STEPPED_DOWN, Account, Mailbox, Presence, is_to_be_confirmed
from cli.demo.examples import Example
from shared.bus.client import AskRefused, BusClient
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    CertificateState,
    CertificateStatus,
    DraftCertificate,
    GetCertificate,
    ReturnCertificate,
    ReviewCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from shared.contracts.certificates.products import ApproveProduct, RegisterProduct
from shared.contracts.fees import GetInvoice, InvoiceState, RecordPayment
from shared.contracts.messages import Request
from shared.contracts.registry.identity import Session
from shared.contracts.registry.particulars import DocumentKind, PutRegistrationFile, Representative
from shared.contracts.registry.registrations import ApplyForRegistration, ApproveRegistration, AttachRegistrationDocument
from shared.contracts.registry.users import AcceptInvitation, InviteOfficer
from shared.contracts.roles import Role

T = TypeVar("T")

PDF_PAPERS = (DocumentKind.CERTIFICATE_OF_INCORPORATION, DocumentKind.LETTER_OF_AUTHORISATION, DocumentKind.IDENTITY_DOCUMENT)

PATIENCE = 60.0
"""Seconds for which people look again until the system has caught up."""

TEAMS = {Role.REGISTRATION_OFFICER: 6, Role.REVIEWER: 1, Role.APPROVER: 6, Role.CASHIER: 1}
"""How many officers of each role there are: as many as it takes to confirm without waiting for codes."""


async def until(look: Callable[[], Awaitable[T | None]], what: str, within: float = PATIENCE, look_again: float = 0.02) -> T:
    """Looks every `look_again` seconds until there is something to see. Raises TimeoutError, saying what was waited for."""
    last = monotonic() + within
    while True:
        if (seen := await look()) is not None:
            return seen
        if monotonic() > last:
            raise TimeoutError(f"waited {within:.0f} s for {what}")
        await asyncio.sleep(look_again)


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, and stays so: tokens are refreshed, and what binds the state is confirmed, as they go."""

    asker: BusClient
    presence: Presence

    @classmethod
    async def sign_in(cls, asker: BusClient, account: Account) -> Self:
        """Signs in; an officer sets up the second factor at the first time."""
        return cls(asker, await Presence.begin(asker, account))

    @property
    def session(self) -> Session:
        """The present session."""
        return self.presence.session

    async def ask(self, request: Request, codes: int = MOST_CODES) -> Any:
        """Asks as this person, who shows at most so many codes to confirm it. Raises AskRefused."""
        return await self.presence.ask(request, self.asker, codes)

    async def ask_until_not(self, code: str, request: Request) -> Any:
        """Asks again while the answer is this refusal: the system has not caught up yet."""

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
    """Colleagues with the same role. A code of a second factor serves once in half a minute, so they share the work."""

    people: tuple[Person, ...]

    async def ask(self, request: Request) -> Any:
        """Whoever can confirm soonest asks; where that fails, a colleague, rather than wait for a code. Raises AskRefused."""
        while is_to_be_confirmed(request) and (person := self._soonest()).presence.busy_for()[0] == 0:
            try:
                return await person.ask(request, codes=1)
            except AskRefused as refused:
                if refused.refusal.code not in STEPPED_DOWN | SIGNED_OUT:
                    raise
        return await self._soonest().ask(request)

    def _soonest(self) -> Person:
        return min(self.people, key=lambda person: person.presence.busy_for())


@dataclass(frozen=True)
class Ministry:
    """The officers who decide, each with an account of their own, and the administrator who invited them."""

    administrator: Person
    registration_officer: Officers
    reviewer: Officers
    approver: Officers
    cashier: Officers

    @classmethod
    async def open(cls, asker: BusClient, account: Account, mailbox: Mailbox, office: str = "PNH") -> Self:
        """The administrator signs in and invites officers for each role; all of them follow their links."""
        administrator = await Person.sign_in(asker, account)
        teams = await asyncio.gather(*(cls._appoint(administrator, role, mailbox, office) for role in TEAMS))
        return cls(administrator, *teams)

    @staticmethod
    async def _appoint(administrator: Person, role: Role, mailbox: Mailbox, office: str) -> Officers:
        async def one() -> Person:
            user_id = uuid4()
            account = Account(f"{role}-{user_id.hex[:8]}@ministry.example", f"{uuid4()}")
            name = role.replace("_", " ").capitalize()
            invitation = InviteOfficer(user_id=user_id, name=name, email=account.email, roles=(role,), office=office)
            await administrator.ask(invitation)
            return await follow_invitation(administrator.asker, account, mailbox)

        return Officers(tuple(await asyncio.gather(*(one() for _ in range(TEAMS[role])))))


async def follow_invitation(asker: BusClient, account: Account, mailbox: Mailbox) -> Person:
    """Waits for the letter, chooses the password, and signs in."""

    async def look() -> str | None:
        return mailbox.link(account.email, "invitation")

    token = await until(look, f"a letter to {account.email}")
    await asker.ask(AcceptInvitation(token=token, password=account.password))
    return await Person.sign_in(asker, account)


def papers() -> dict[DocumentKind, tuple[bytes, str]]:
    """What an applicant hands in, each with its media type: documents as PDF with an empty page, and a photo."""
    found: dict[DocumentKind, tuple[bytes, str]] = {}
    for kind in PDF_PAPERS:
        document, paper = PdfWriter(), BytesIO()
        document.add_blank_page(width=595, height=842)  # A4
        document.add_metadata({"/Title": kind.replace("_", " ").capitalize()})
        document.write(paper)
        found[kind] = (paper.getvalue(), "application/pdf")
    photo = BytesIO()
    Image.new("RGB", (400, 600), "steelblue").save(photo, "PNG")
    return found | {DocumentKind.PHOTO: (photo.getvalue(), "image/png")}


@dataclass(frozen=True)
class Exporter:
    """A registered company and the person who acts for it."""

    person: Person
    exporter_id: UUID

    @classmethod
    async def register(cls, asker: BusClient, ministry: Ministry, example: Example) -> Self:
        """The company of an example applies and hands in its papers, and an officer approves."""
        exporter = await cls.apply(asker, example)
        await exporter.hand_in_papers()
        await ministry.registration_officer.ask(ApproveRegistration(exporter_id=exporter.exporter_id))
        return exporter

    @classmethod
    async def apply(cls, asker: BusClient, example: Example) -> Self:
        """The company applies, and its administrator signs in."""
        exporter_id, password = uuid4(), f"{uuid4()}"
        email = f"exports-{exporter_id.hex[:8]}@company.example"
        await asker.ask(
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
        return cls(await Person.sign_in(asker, Account(email, password)), exporter_id)

    async def hand_in_papers(self) -> None:
        """The company hands in what a registration needs."""
        for kind, (paper, media_type) in papers().items():
            token = self.person.session.token
            digest = await self.person.asker.put_file(PutRegistrationFile, self.exporter_id, paper, media_type, token)
            await self.person.ask(AttachRegistrationDocument(exporter_id=self.exporter_id, kind=kind, sha256=digest))

    async def register_products(self, ministry: Ministry, products: list[RegisterProduct]) -> None:
        """Each product is registered, and its origin examined by a reviewer."""
        for product in products:
            await self.person.ask(product)
            await ministry.reviewer.ask(ApproveProduct(product_id=product.product_id))


@dataclass
class Journey:
    """One consignment on its way, step by step."""

    example: Example
    exporter: Exporter
    ministry: Ministry
    certificate_id: UUID
    products: list[RegisterProduct]

    @classmethod
    async def begin(cls, example: Example, exporter: Exporter, ministry: Ministry, today: date) -> Self:
        """Products are registered and examined, and the certificate is drafted."""
        products = example.products(exporter.exporter_id)
        await exporter.register_products(ministry, products)
        certificate_id = uuid4()
        await exporter.person.ask(
            DraftCertificate(
                certificate_id=certificate_id,
                exporter_id=exporter.exporter_id,
                consignment=example.consignment(products, today),
            )
        )
        return cls(example, exporter, ministry, certificate_id, products)

    async def submit(self) -> CertificateState:
        """The exporter hands it in, as soon as the registration is known to the service."""
        command = SubmitCertificate(certificate_id=self.certificate_id)
        state: CertificateState = await self.exporter.person.ask_until_not("exporter_not_registered", command)
        return state

    async def be_returned_and_correct(self, remarks: str, today: date) -> None:
        """The first officer looks at it and returns it; the exporter corrects it and hands it in again."""
        seen = await self.seen_by(self.ministry.reviewer)
        await self.ministry.reviewer.ask(
            ReturnCertificate(certificate_id=self.certificate_id, remarks=remarks, version=seen.version)
        )
        corrected = self.example.consignment(self.products, today, corrected=True)
        await self.exporter.person.ask(ReviseCertificate(certificate_id=self.certificate_id, consignment=corrected))
        await self.submit()

    async def invoice(self) -> InvoiceState:
        """The exporter sees the price."""
        question = GetInvoice(certificate_id=self.certificate_id)
        state: InvoiceState = await self.exporter.person.ask_until_not("invoice_not_found", question)
        return state

    async def pay(self, invoice: InvoiceState, today: date) -> None:
        """A cashier enters the bank slip, where something is owed."""
        if not invoice.settled:
            slip = f"SLIP-{uuid4().hex[:12].upper()}"
            await self.ministry.cashier.ask(
                RecordPayment(
                    certificate_id=self.certificate_id, amount_khr=invoice.amount_khr, slip_number=slip, paid_on=today
                )
            )

    async def review(self) -> None:
        """The first officer looks at it, and finds what they have seen in order."""
        worksheet = "Documents agree; the goods originate by the criterion approved for the product."
        seen = await self.seen_by(self.ministry.reviewer)
        await self.ministry.reviewer.ask(
            ReviewCertificate(certificate_id=self.certificate_id, worksheet=worksheet, version=seen.version)
        )

    async def approve(self) -> None:
        """The second officer looks at it, and agrees to what they have seen."""
        seen = await self.seen_by(self.ministry.approver)
        await self.ministry.approver.ask(ApproveCertificate(certificate_id=self.certificate_id, version=seen.version))

    async def seen_by(self, officers: Officers) -> CertificateState:
        """The certificate as an officer sees it before a decision."""
        state: CertificateState = await officers.ask(GetCertificate(certificate_id=self.certificate_id))
        return state

    async def issued(self) -> CertificateState:
        """The certificate with its number."""

        async def look() -> CertificateState | None:
            state: CertificateState = await self.exporter.person.ask(GetCertificate(certificate_id=self.certificate_id))
            return state if state.status is CertificateStatus.ISSUED else None

        return await until(look, "the certificate to be issued")
