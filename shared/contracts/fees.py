"""Fees: the price of a certificate and its payments. Amounts are whole riel (KHR)."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.fields import Riel
from shared.contracts.messages import Answer, Command, Contract, Event, Question
from shared.contracts.roles import Role

SlipNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9][A-Z0-9/-]{2,39}$")]


class InvoiceLine(Contract):
    """One line of an invoice and its legal source."""

    text: str
    amount_khr: int
    source: str


class InvoiceState(Answer):
    """The price of a certificate and the sum of its payments."""

    certificate_id: UUID
    exporter_id: UUID
    lines: tuple[InvoiceLine, ...]
    amount_khr: int
    paid_khr: int
    settled: bool
    version: int


class GetInvoice(Question):
    """What is the price of this certificate, and is it paid?"""

    subject: ClassVar[str] = "qry.invoice.get.v1"
    answer: ClassVar[type[Answer]] = InvoiceState
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.CASHIER, Role.AUDITOR})
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class RecordPayment(Command):
    """A cashier records a payment from a bank slip."""

    subject: ClassVar[str] = "cmd.payment.record.v1"
    answer: ClassVar[type[Answer]] = InvoiceState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.CASHIER})
    certificate_id: UUID
    amount_khr: Annotated[Riel, Field(gt=0)]
    slip_number: SlipNumber
    paid_on: date


class FeeSettled(Event):
    """The fee of this submission of a certificate is settled."""

    subject: ClassVar[str] = "evt.fee.settled.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"certificates"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    submission: int
