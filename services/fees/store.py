"""The tables of fees: invoices, one row for each bank slip, the names of exporters, and the closed submissions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    exists,
    func,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import column_property, registry

from services.fees.domain import (
    CROCKFORD,
    REFERENCE_LENGTH,
    Invoice,
    InvoiceNotFound,
    Line,
    SlipRecorded,
    SlipUsed,
    beginning_of_reference,
    payment_reference_of,
)
from shared.database.column_types import JsonOf, UtcDateTime
from shared.database.paging import By, page_of, unindexed
from shared.handling.work import Work

TABLES = MetaData()
FEW = 1000
"""So many invoices found by a search are looked up by their ids."""
ATTEMPTS = 8
"""How many payment references of a certificate are tried: more than can ever be taken."""

invoices = Table(
    "invoices",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("submission", Integer, nullable=False),
    Column("lines", JsonOf(list[Line]), nullable=False),
    Column("paid_khr", BigInteger, nullable=False),
    Column("settled_submission", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("agent_id", Uuid),
    Column("payment_reference", String(REFERENCE_LENGTH), unique=True, index=True),
    Column("assessed_on", Date),
    Column("assessed_at", UtcDateTime, nullable=False, server_default="2000-01-01T00:00:00.000000Z"),
)
_NEWEST_FIRST = invoices.c.assessed_at, invoices.c.certificate_id
_unpaid = invoices.c.settled_submission != invoices.c.submission
Index("ix_invoices_newest", *_NEWEST_FIRST)
Index("ix_invoices_newest_of_exporter", invoices.c.exporter_id, *_NEWEST_FIRST)
Index("ix_invoices_newest_unpaid", *_NEWEST_FIRST, postgresql_where=_unpaid, sqlite_where=_unpaid)
_unpaid_of_exporter = invoices.c.exporter_id, *_NEWEST_FIRST
Index("ix_invoices_newest_unpaid_of_exporter", *_unpaid_of_exporter, postgresql_where=_unpaid, sqlite_where=_unpaid)
_of_an_agent = invoices.c.agent_id.is_not(None)
_newest_of_agent = invoices.c.agent_id, invoices.c.exporter_id, *_NEWEST_FIRST
Index("ix_invoices_newest_of_agent", *_newest_of_agent, postgresql_where=_of_an_agent, sqlite_where=_of_an_agent)

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

exporter_names = Table(
    "exporter_names",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("version", Integer, nullable=False),
)

closings = Table(
    "closings",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("submission", Integer, nullable=False),
)

# A row of its own, because a submission can be closed before its invoice exists, and two replicas can receive both events.
_closed = select(closings.c.submission).where(closings.c.certificate_id == invoices.c.certificate_id)
_closed_submission = func.coalesce(_closed.correlate(invoices).scalar_subquery(), 0)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(
    Invoice, invoices, properties={"closed_submission": column_property(_closed_submission, expire_on_flush=False)}
)


_REFERENCE = select(invoices.c.payment_reference).where(invoices.c.payment_reference == bindparam("payment_reference"))
_ENTERED_FOR = select(payments.c.certificate_id).where(payments.c.slip_number == bindparam("slip_number"))
_SLIPS = (
    select(payments)
    .where(payments.c.certificate_id.in_(bindparam("certificate_ids", expanding=True)))
    .order_by(payments.c.recorded_at, payments.c.slip_number)
)
_NAMES = select(exporter_names.c.exporter_id, exporter_names.c.name).where(
    exporter_names.c.exporter_id.in_(bindparam("exporter_ids", expanding=True))
)


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


async def lock_for_payment(work: Work, certificate_id: UUID) -> Invoice:
    """The invoice of a certificate, as it is once the lock is held. Raises InvoiceNotFound."""
    invoice = await invoice_of(work, certificate_id)
    await work.session.refresh(invoice, ["closed_submission"])  # PostgreSQL read it before it waited for the lock
    return invoice


async def find_invoice(work: Work, certificate_id: UUID) -> Invoice | None:
    """The invoice of a certificate, or None."""
    return await work.session.get(Invoice, certificate_id, with_for_update=work.may_write)


async def free_reference(work: Work, certificate_id: UUID) -> str:
    """The payment reference for the new invoice of a certificate."""
    for attempt in range(ATTEMPTS):
        reference = payment_reference_of(certificate_id, attempt)
        if await work.session.scalar(_REFERENCE, {"payment_reference": reference}) is None:
            return reference
    raise RuntimeError(f"{ATTEMPTS} payment references are taken")


async def give_missing_references(work: Work) -> None:
    """Gives the invoices of a former release their payment references."""
    without = select(invoices.c.certificate_id).where(invoices.c.payment_reference.is_(None))
    ids = (await work.session.scalars(without)).all()
    if ids:
        rows = [{"certificate_id": each, "payment_reference": payment_reference_of(each)} for each in ids]
        await work.session.execute(update(Invoice), rows)


async def keep_slip(work: Work, slip: Slip) -> None:
    """Keeps a slip. Raises SlipUsed if it was entered before."""
    if not await work.insert_new(payments, [vars(slip)]):
        raise SlipUsed("slip_number", slip=slip.slip_number)


async def slip_must_be_new(work: Work, slip_number: str, certificate_id: UUID) -> None:
    """Raises SlipRecorded if the slip was entered for this certificate, SlipUsed if it was entered for another one."""
    entered_for = await work.session.scalar(_ENTERED_FOR, {"slip_number": slip_number})
    if entered_for == certificate_id:
        raise SlipRecorded("slip_number", slip=slip_number)
    if entered_for is not None:
        raise SlipUsed("slip_number", slip=slip_number)


async def keep_closing(work: Work, certificate_id: UUID, submission: int) -> None:
    """Keeps the last submission of a certificate that was closed."""
    row = {"certificate_id": certificate_id, "submission": submission}
    await work.insert_newer(closings, row, version="submission")


async def keep_name(work: Work, exporter_id: UUID, name: str, version: int) -> None:
    """Keeps the newest name of an exporter."""
    await work.insert_newer(exporter_names, {"exporter_id": exporter_id, "name": name, "version": version})


async def slips_of(work: Work, certificate_ids: Sequence[UUID]) -> dict[UUID, list[Slip]]:
    """The slips of certificates, the oldest first."""
    found: dict[UUID, list[Slip]] = defaultdict(list)
    for row in await work.session.execute(_SLIPS, {"certificate_ids": list(certificate_ids)}):
        found[row.certificate_id].append(Slip(**row._mapping))
    return found


async def names_of(work: Work, exporter_ids: set[UUID]) -> dict[UUID, str]:
    """The names of exporters, by their ids. Unknown ones are left out."""
    return {row.exporter_id: row.name for row in await work.session.execute(_NAMES, {"exporter_ids": list(exporter_ids)})}


async def list_invoices(
    work: Work,
    *,
    exporter_id: UUID | None,
    agent_id: UUID | None,
    settled: bool | None,
    search: str | None,
    after: str | None,
    limit: int,
) -> tuple[list[Invoice], str | None]:
    """A page of invoices, newest first, and the cursor of the next page. Raises CursorMalformed."""
    few, by_search = (None, None) if search is None else await _found_by(search, work)
    c, column = invoices.c, unindexed if few is not None else lambda same: same
    wanted = select(Invoice)
    if few is not None:
        wanted = wanted.where(c.certificate_id.in_(few))
    elif by_search is not None:
        wanted = wanted.where(by_search)
    if exporter_id is not None:
        wanted = wanted.where(column(c.exporter_id) == exporter_id)
    if agent_id is not None:
        wanted = wanted.where(column(c.agent_id) == agent_id)
    if settled is not None:
        wanted = wanted.where(c.settled_submission == c.submission if settled else _unpaid)
    order = [By(column, descending=True) for column in _NEWEST_FIRST]
    rows, following = await page_of(work.session, wanted, order, after, limit)
    return [row.Invoice for row in rows], following


async def _found_by(search: str, work: Work) -> tuple[Sequence[UUID] | None, ColumnElement[bool]]:
    """The ids of the invoices found by a search, if they are few, and the condition for a list that is read in its order."""
    of_its = exporter_names.c.name.icontains(search, autoescape=True)
    named = select(exporter_names.c.exporter_id).where(of_its)
    ways: list[ColumnElement[bool]] = [invoices.c.exporter_id.in_(named)]
    in_order: list[ColumnElement[bool]] = [exists().where(exporter_names.c.exporter_id == invoices.c.exporter_id, of_its)]
    if begins := beginning_of_reference(search):
        first, last = (begins.ljust(REFERENCE_LENGTH, filler) for filler in (CROCKFORD[0], CROCKFORD[-1]))
        numbered = invoices.c.payment_reference.between(first, last)  # not LIKE: a range uses the index
        ways, in_order = [numbered, *ways], [numbered, *in_order]
    found = union_all(*(select(invoices.c.certificate_id).where(way) for way in ways)).limit(FEW + 1)
    ids = (await work.session.scalars(found)).all()
    return ids if len(ids) <= FEW else None, or_(*in_order)


assessed = select(invoices.c.certificate_id)
settled = select(invoices.c.certificate_id).where(invoices.c.settled_submission == invoices.c.submission)
once_settled = select(invoices.c.certificate_id).where(invoices.c.settled_submission > 0)

_slips = select(func.sum(payments.c.amount_khr)).where(payments.c.certificate_id == invoices.c.certificate_id)
unbalanced = select(invoices.c.certificate_id).where(
    invoices.c.paid_khr != func.coalesce(_slips.correlate(invoices).scalar_subquery(), 0)
)
