"""What the demo leaves in the portal: products and certificates in every state, invoices and messages."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cli.demo.accounts import Mailbox
from cli.demo.companies import (
    Company,
    apply,
    decide,
    demo_officers,
    grant_mandate,
    invite_colleague,
    suspend,
)
from cli.demo.people import Ministry, Person, until
from cli.demo.products import register_products
from cli.demo.sign_ins import SignIns
from shared.bus.client import AskRefused, BusClient
from shared.contracts.certificates.assigning import AssignCertificate
from shared.contracts.certificates.cancelling import CancelCertificate
from shared.contracts.certificates.content import SendCertificateMessage
from shared.contracts.certificates.issuing import (
    ApproveCertificate,
    BoxRemark,
    CertificateState,
    CertificateStatus,
    Consignee,
    Consignment,
    DraftCertificate,
    Fob,
    GetCertificate,
    Item,
    RejectCertificate,
    ReturnCertificate,
    ReviewCertificate,
    SubmitCertificate,
    Transport,
)
from shared.contracts.certificates.withdrawing import DiscardCertificate, WithdrawCertificate
from shared.contracts.fees import GetInvoice, InvoiceState, RecordPayment
from shared.contracts.messages import Command, Request
from shared.contracts.registry.mandates import ActingToken, ActUnderMandate

DATA = json.loads(Path(__file__).with_name("data").joinpath("contents.json").read_text())
AT_ONCE = 8
"""The certificates that are made at the same time."""
NEVER_SUBMITTED = frozenset({"draft", "discarded"})
ISSUED = frozenset({"issued", "cancelled"})
APPROVED = ISSUED | {"approved", "held"}
REVIEWED = APPROVED | {"reviewed"}
TAKEN = "certificate_id_taken"
WORKSHEET = "Invoice, packing list and cost sheet agree. The goods meet the criterion that was approved for the product."
ISSUED_WITHIN = 60.0


class Agent:
    """The agent's person under the mandate: the requests carry the acting token."""

    def __init__(self, person: Person, mandate_id: UUID) -> None:
        self._person = person
        self._mandate_id = mandate_id
        self._token = ""

    async def begin(self) -> None:
        """Gets the acting token. certificates may hear of the mandate a moment later."""
        given: ActingToken = await self._person.ask(ActUnderMandate(mandate_id=self._mandate_id))
        self._token = given.token

    async def ask(self, request: Request) -> Any:
        """Sends a request for the exporter. Raises AskRefused."""
        return await self._person.bus.ask(request, token=self._token)


@dataclass(frozen=True)
class Planned:
    """A certificate of the data. `number` counts them."""

    row: dict[str, Any]
    number: int
    certificate_id: UUID
    exporter_id: UUID
    product_id: UUID
    by: Person | Agent

    @property
    def ends(self) -> str:
        """The state in which the demo leaves it."""
        return str(self.row["ends"])

    def consignment(self, today: date) -> Consignment:
        """Its consignment, as entered today."""
        to = DATA["consignees"][self.row["to"]]
        product = DATA["products"][self.row["product"]]
        item = {**product["item"]}
        departs = self.row.get("departs_in", 2 + self.number % 9)
        amount = item.pop("fob")
        return Consignment(
            office=self.row.get("office", "PNH"),
            destination=self.row["to"],
            consignee=Consignee(name=to["name"], address=to["address"]),
            transport=Transport(
                departure_date=today + timedelta(days=departs), vessel=to["vessel"], port_of_discharge=to["port"]
            ),
            items=(
                Item(
                    **item,
                    product_id=self.product_id,
                    marks=f"{self.row['to']} / {to['port']} / 1-{item['packages']}",
                    fob=Fob(amount=amount, currency="USD"),
                    invoice_number=f"INV-{today.year}-{400 + self.number}",
                    invoice_date=today - timedelta(days=max(2, 2 - departs)),
                    manufacturer=next(row["name"] for row in DATA["companies"] if row["key"] == product["of"]),
                ),
            ),
        )


class Contents:
    """Makes what the demo leaves. An interrupted run continues: what exists stays as it is."""

    def __init__(self, bus: BusClient, ministry: Ministry, sign_ins: SignIns, mailbox: Mailbox, today: date) -> None:
        self._bus, self._ministry, self._sign_ins, self._mailbox, self._today = bus, ministry, sign_ins, mailbox, today
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._officers: dict[str, Person] = {}
        self._people: dict[str, Person | Agent] = {}

    async def make(self, say: Callable[[str], None]) -> Counter[str]:
        """Makes everything; returns the number of certificates by state. `say` receives each step. Raises AskRefused."""
        say("officers are invited, companies apply")
        self._officers, companies = await asyncio.gather(
            demo_officers(self._ministry, self._sign_ins, self._mailbox),
            asyncio.gather(*(apply(self._bus, self._sign_ins, row) for row in DATA["companies"])),
        )
        by_key = {company.key: company for company in companies}
        say("registrations are decided")
        await decide(companies, self._ministry, self._officers["registration"])
        say("products are examined")
        preparer, mandate_id, _ = await asyncio.gather(
            invite_colleague(by_key["exporter"], self._sign_ins, self._mailbox),
            grant_mandate(by_key["exporter"], by_key["agent"], self._sign_ins, self._today),
            register_products(DATA["products"], by_key, self._sign_ins, self._officers["reviewer"], self._today),
        )
        agent = Agent(by_key["agent"].person, mandate_id)
        await agent.begin()
        own = {key: company.person for key, company in by_key.items()}
        self._people = {**own, "preparer": preparer, "agent": agent, "freight": by_key["agent"].person}

        say("certificates are drafted, submitted, paid and reviewed")
        planned = [self._planned(number, row, by_key) for number, row in enumerate(DATA["certificates"])]
        new = await asyncio.gather(*map(self._prepare, planned))
        say("certificates are approved and rejected")
        await suspend(companies, self._ministry)
        await self._confirm([each for each, is_new in zip(planned, new, strict=True) if is_new])
        say("certificates are issued")
        made = [each for each, is_new in zip(planned, new, strict=True) if is_new]
        await asyncio.gather(*(self._issued(each) for each in made if each.ends in ISSUED))
        for each in made:
            if each.ends == "cancelled":
                await self._ministry.approver.ask(
                    CancelCertificate(
                        certificate_id=each.certificate_id, reason=each.row["because"], remarks=each.row["remarks"]
                    )
                )
        return Counter(each.ends for each in planned)

    def _planned(self, number: int, row: dict[str, Any], companies: dict[str, Company]) -> Planned:
        return Planned(
            row,
            number,
            self._sign_ins.id_of(f"certificate {number}"),
            companies[DATA["products"][row["product"]]["of"]].exporter_id,
            self._sign_ins.id_of(f"product {row['product']}"),
            self._people[row.get("by", "exporter")],
        )

    async def _prepare(self, planned: Planned) -> bool:
        """Takes a certificate as far as nothing must be confirmed by a code. Returns False if it exists already."""
        async with self._turn:
            try:
                await self._draft(planned)
            except AskRefused as refused:
                if refused.refusal.code != TAKEN:
                    raise
                return False
            certificate_id, reviewer = planned.certificate_id, self._officers["reviewer"]
            if planned.ends == "discarded":
                await planned.by.ask(DiscardCertificate(certificate_id=certificate_id))
            if planned.ends not in NEVER_SUBMITTED:
                await self._submit(planned)
            if planned.row.get("paid"):
                await self._pay(planned)
            if planned.ends == "withdrawn":
                await planned.by.ask(WithdrawCertificate(certificate_id=certificate_id))
            if planned.ends == "returned":
                boxes = tuple(BoxRemark(box=box, item=item, text=text) for box, item, text in planned.row["boxes"])
                remarks = "Please correct the boxes below and submit it again."
                await reviewer.ask(ReturnCertificate(certificate_id=certificate_id, remarks=remarks, boxes=boxes))
            if planned.ends in REVIEWED:
                await reviewer.ask(ReviewCertificate(certificate_id=certificate_id, worksheet=WORKSHEET))
            if planned.row.get("assigned"):
                await reviewer.ask(AssignCertificate(certificate_id=certificate_id))
            for number, (name, text) in enumerate(planned.row.get("messages", ())):
                message_id = self._sign_ins.id_of(f"message {planned.number}.{number}")
                sender = {**self._people, **self._officers}[name]
                await sender.ask(SendCertificateMessage(certificate_id=certificate_id, message_id=message_id, text=text))
            return True

    async def _draft(self, planned: Planned) -> None:
        command = DraftCertificate(
            certificate_id=planned.certificate_id,
            exporter_id=planned.exporter_id,
            consignment=planned.consignment(self._today),
        )
        await _while_not_known(planned.by, command, "mandate_not_known_yet")

    async def _submit(self, planned: Planned) -> None:
        """A signatory submits it: the preparer may not, so the exporter does."""
        by = self._people["exporter"] if planned.row.get("by") == "preparer" else planned.by
        await _while_not_known(by, SubmitCertificate(certificate_id=planned.certificate_id), "exporter_not_registered")

    async def _pay(self, planned: Planned) -> None:
        cashier = self._officers["cashier"]
        question = GetInvoice(certificate_id=planned.certificate_id)
        invoice: InvoiceState = await _while_not_known(cashier, question, "invoice_not_found")
        if not invoice.settled:
            slip = f"ACLEDA-{self._today:%y%m%d}-{planned.number:03}"
            payment = RecordPayment(
                certificate_id=planned.certificate_id, amount_khr=invoice.amount_khr, slip_number=slip, paid_on=self._today
            )
            await cashier.ask(payment)

    async def _confirm(self, planned: list[Planned]) -> None:
        """One officer approves and rejects all, with one code."""
        officer = self._ministry.approver.next_officer()
        decisions: list[Command] = []
        for each in planned:
            if each.ends in APPROVED:
                decisions.append(ApproveCertificate(certificate_id=each.certificate_id))
            elif each.ends == "rejected":
                reason, codes = each.row["because"], tuple(each.row["codes"])
                decisions.append(RejectCertificate(certificate_id=each.certificate_id, reason=reason, codes=codes))
        await asyncio.gather(*map(officer.ask, decisions))

    async def _issued(self, planned: Planned) -> None:
        async def look() -> bool | None:
            state: CertificateState = await planned.by.ask(GetCertificate(certificate_id=planned.certificate_id))
            return True if state.status is CertificateStatus.ISSUED else None

        await until(look, "the certificates to be issued", within=ISSUED_WITHIN, interval=0.3)


async def _while_not_known(by: Person | Agent, request: Request, code: str) -> Any:
    """Repeats a request while it is refused because an event has not arrived yet. Raises AskRefused."""

    async def look() -> Any:
        try:
            return await by.ask(request)
        except AskRefused as refused:
            if refused.refusal.code != code:
                raise
            return None

    return await until(look, f"{type(request).__name__} not to be refused as {code}", interval=0.1)
