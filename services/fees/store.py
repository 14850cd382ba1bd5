"""The tables of fees: invoices, and one row for each bank slip."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Date, Integer, MetaData, String, Table, Uuid, func, select
from sqlalchemy.orm import registry

from services.fees.domain import Invoice, InvoiceNotFound, Line, SlipUsed
from shared.database.column_types import JsonOf, UtcDateTime
from shared.handling.work import Work

TABLES = MetaData()

invoices = Table(
    "invoices",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False, index=True),
    Column("submission", Integer, nullable=False),
    Column("lines", JsonOf(list[Line]), nullable=False),
    Column("paid_khr", BigInteger, nullable=False),
    Column("settled_submission", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("agent_id", Uuid),
)

payments = Table(
    "payments",
    TABLES,
    Column("slip_number", String(40), primary_key=True),
    Column("certificate_id", Uuid, nullable=False, index=True),
    Column("amount_khr", BigInteger, nullable=False),
    Column("paid_on", Date, nullable=False),
    Column("cashier_id", Uuid, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(Invoice, invoices)


@dataclass(frozen=True, kw_only=True)
class Slip:
    """A bank slip as a cashier enters it."""

    slip_number: str
    certificate_id: UUID
    amount_khr: int
    paid_on: date
    cashier_id: UUID
    recorded_at: datetime


async def invoice_of(work: Work, certificate_id: UUID) -> Invoice:
    """The invoice of a certificate, locked in a command. Raises InvoiceNotFound."""
    found = await find_invoice(work, certificate_id)
    if found is None:
        raise InvoiceNotFound("certificate_id")
    return found


async def find_invoice(work: Work, certificate_id: UUID) -> Invoice | None:
    """The invoice of a certificate, or None."""
    return await work.session.get(Invoice, certificate_id, with_for_update=work.may_write)


async def keep_slip(work: Work, slip: Slip) -> None:
    """Keeps a slip. Raises SlipUsed if it was entered before."""
    if not await work.insert_new(payments, [vars(slip)]):
        raise SlipUsed("slip_number", slip=slip.slip_number)


assessed = select(invoices.c.certificate_id)
settled = select(invoices.c.certificate_id).where(invoices.c.settled_submission == invoices.c.submission)
once_settled = select(invoices.c.certificate_id).where(invoices.c.settled_submission > 0)

_slips = select(func.sum(payments.c.amount_khr)).where(payments.c.certificate_id == invoices.c.certificate_id)
unbalanced = select(invoices.c.certificate_id).where(
    invoices.c.paid_khr != func.coalesce(_slips.correlate(invoices).scalar_subquery(), 0)
)
