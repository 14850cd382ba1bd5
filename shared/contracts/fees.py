"""Fees: the price of a certificate and its payments. Amounts are whole riel (KHR)."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.fields import Cursor, HsCode, Instant, Line, Quantity, Riel, Unit
from shared.contracts.messages import Answer, Command, Contract, Event, Part, Question
from shared.contracts.roles import Role

SlipNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Z0-9][A-Z0-9/-]{2,39}$")]


class InvoiceLine(Contract):
    """One line of an invoice and its legal source. `text_km`: in Khmer; null in an invoice of a former release."""

    text: str
    amount_khr: int
    source: str
    text_km: str | None = None


class Payment(Contract):
    """A payment of an invoice."""

    amount_khr: int
    slip_number: str
    paid_on: date
    recorded_at: Instant | None = None


class InvoiceState(Answer):
    """The price of a certificate and its payments. `payment_reference`: what the payer names at the counter.

    `closed`: the certificate was withdrawn or rejected, so no payment is accepted.
    """

    certificate_id: UUID
    payment_reference: str | None = None
    exporter_id: UUID
    exporter_name: str | None = None
    assessed_on: date | None = None
    closed: bool = False
    payments: tuple[Payment, ...] = ()
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


class QuotedGoods(Part):
    """The data of one item that the fee depends on."""

    hs_code: HsCode
    handicraft: bool = False
    quantity: Quantity
    unit: Unit


class FeeQuote(Answer):
    """The fee by the tariff of a day. `tariff_from`: the first day of that tariff."""

    lines: tuple[InvoiceLine, ...]
    amount_khr: int
    on: date
    tariff_from: date


class QuoteFee(Question):
    """What would a certificate with these goods cost today?"""

    subject: ClassVar[str] = "qry.fee.quote.v1"
    answer: ClassVar[type[Answer]] = FeeQuote
    under_mandate: ClassVar[bool] = True
    form: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,8}$")] = "D"
    goods: Annotated[tuple[QuotedGoods, ...], Field(min_length=1, max_length=2000)]


class TariffRow(Contract):
    """The fee of one class of goods. `amounts_khr`: by form; `*` stands for every other form."""

    goods: str
    amounts_khr: dict[str, int]
    goods_km: str | None = None


class Tariff(Answer):
    """The tariff in force on a day, and its legal source."""

    valid_from: date
    source: str
    rows: tuple[TariffRow, ...]


class GetTariff(Question):
    """Which tariff is in force? `on`: today by default."""

    subject: ClassVar[str] = "qry.tariff.get.v1"
    answer: ClassVar[type[Answer]] = Tariff
    on: date | None = None


class Invoices(Answer):
    """One page of invoices, newest first."""

    invoices: tuple[InvoiceState, ...]
    next: str | None = None


class ListInvoices(Question):
    """Which invoices are there? A person of a company sees its own; a cashier or an auditor sees all.

    `search`: the beginning of a payment reference, or a part of the exporter's name. `settled`: only those paid, or not paid.
    """

    subject: ClassVar[str] = "qry.invoices.list.v1"
    answer: ClassVar[type[Answer]] = Invoices
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.CASHIER, Role.AUDITOR})
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID | None = None
    settled: bool | None = None
    search: Line | None = None
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 25


class InvoiceChanged(Event):
    """An invoice was assessed, paid or closed. The event contains no amount."""

    subject: ClassVar[str] = "evt.invoice.changed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"portal"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    settled: bool
