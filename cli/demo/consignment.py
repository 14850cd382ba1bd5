"""One consignment of the demo: its steps from the products to the issued certificate."""

from dataclasses import dataclass
from datetime import date
from typing import Self
from uuid import UUID, uuid4

from cli.demo.examples import Example
from cli.demo.people import Exporter, Ministry, Officers, until
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
from shared.contracts.certificates.products import RegisterProduct
from shared.contracts.fees import GetInvoice, InvoiceState, RecordPayment


@dataclass
class Journey:
    """The steps of one consignment."""

    example: Example
    exporter: Exporter
    ministry: Ministry
    certificate_id: UUID
    products: list[RegisterProduct]

    @classmethod
    async def begin(cls, example: Example, exporter: Exporter, ministry: Ministry, today: date) -> Self:
        """Registers the products and drafts the certificate."""
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
        """The exporter submits it. Repeats the command until certificates knows the registration."""
        command = SubmitCertificate(certificate_id=self.certificate_id)
        state: CertificateState = await self.exporter.person.ask_while_refused("exporter_not_registered", command)
        return state

    async def return_and_correct(self, remarks: str, today: date) -> None:
        """The first officer returns it; the exporter corrects and submits it again."""
        seen = await self.seen_by(self.ministry.reviewer)
        await self.ministry.reviewer.ask(
            ReturnCertificate(certificate_id=self.certificate_id, remarks=remarks, version=seen.version)
        )
        corrected = self.example.consignment(self.products, today, corrected=True)
        await self.exporter.person.ask(ReviseCertificate(certificate_id=self.certificate_id, consignment=corrected))
        await self.submit()

    async def invoice(self) -> InvoiceState:
        """The invoice, as the exporter sees it. Repeats the question until the fee is assessed."""
        question = GetInvoice(certificate_id=self.certificate_id)
        state: InvoiceState = await self.exporter.person.ask_while_refused("invoice_not_found", question)
        return state

    async def pay(self, invoice: InvoiceState, today: date) -> None:
        """A cashier enters the bank slip, unless the invoice is already settled."""
        if not invoice.settled:
            slip = f"SLIP-{uuid4().hex[:12].upper()}"
            await self.ministry.cashier.ask(
                RecordPayment(
                    certificate_id=self.certificate_id, amount_khr=invoice.amount_khr, slip_number=slip, paid_on=today
                )
            )

    async def review(self) -> None:
        """The first officer reads it and accepts that version."""
        worksheet = "Documents agree; the goods originate by the criterion approved for the product."
        seen = await self.seen_by(self.ministry.reviewer)
        await self.ministry.reviewer.ask(
            ReviewCertificate(certificate_id=self.certificate_id, worksheet=worksheet, version=seen.version)
        )

    async def approve(self) -> None:
        """The second officer reads it and approves that version."""
        seen = await self.seen_by(self.ministry.approver)
        await self.ministry.approver.ask(ApproveCertificate(certificate_id=self.certificate_id, version=seen.version))

    async def seen_by(self, officers: Officers) -> CertificateState:
        """The certificate, as an officer sees it before a decision."""
        state: CertificateState = await officers.ask(GetCertificate(certificate_id=self.certificate_id))
        return state

    async def issued(self) -> CertificateState:
        """The certificate after its issue, with its number."""

        async def look() -> CertificateState | None:
            state: CertificateState = await self.exporter.person.ask(GetCertificate(certificate_id=self.certificate_id))
            return state if state.status is CertificateStatus.ISSUED else None

        return await until(look, "the certificate to be issued")
