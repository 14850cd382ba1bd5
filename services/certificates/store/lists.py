"""Lists and counts of certificates, products and consignees. A list reads no items and needs no query per row."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, func, or_, select, union_all

from services.certificates.domain.life_cycle import IN_PROCESS, Status
from services.certificates.domain.product import Product, ProductStatus
from services.certificates.store.certificates import columns_of
from services.certificates.store.tables import assignments, certificates, exporters, products, settlements
from shared.database.paging import By, page_of
from shared.handling.work import Work

RECENT = 2000
"""The latest certificates of an exporter in which its consignees are looked up."""

FEW = 1000
"""So many certificates found by a search are looked up by their ids."""

LISTED = (
    "certificate_id",
    "exporter_id",
    "agent_id",
    "form",
    "office",
    "destination",
    "consignee",
    "departure_date",
    "item_count",
    "status",
    "submission",
    "submitted_on",
    "held_because",
    "reference",
    "status_since",
    "last_message_by",
    "version",
)
"""The columns of certificates in a list: neither the items nor the worksheet."""


@dataclass(frozen=True, kw_only=True)
class Whose:
    """The certificates that a person may see, and of these the wanted ones: of an exporter, an agent, an office."""

    exporter_id: UUID | None = None
    agent_id: UUID | None = None
    office: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on certificates."""
        return [certificates.c[name] == value for name, value in vars(self).items() if value is not None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which certificates to list. `officer`: only those assigned to this officer."""

    statuses: Sequence[Status] = ()
    destination: str | None = None
    search: str | None = None
    officer: UUID | None = None
    unpaid: bool = False


async def list_certificates(
    work: Work, whose: Whose, wanted: Wanted, *, longest_waiting: bool, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of certificates, with exporter, payment and assignment of each, and the cursor of the next page.

    Raises CursorMalformed.
    """
    columns = [certificates.c[name] for name in LISTED]
    payment = settlements.c.certificate_id.is_not(None).label("settled")
    rows = (
        select(*columns, exporters.c.name.label("exporter_name"), payment, assignments.c.officer, assignments.c.until)
        .select_from(_with_payment(certificates.outerjoin(exporters, exporters.c.exporter_id == certificates.c.exporter_id)))
        .outerjoin(assignments, _assigned_now(work))
        .where(*whose.conditions, *await _conditions(whose, wanted, work))
    )
    order = By(certificates.c.status_since) if longest_waiting else By(certificates.c.drafted_at, descending=True)
    unique = By(certificates.c.certificate_id, descending=order.descending)
    page, following = await page_of(work.session, rows, (order, unique), after, limit)
    return await _completed(work, page), following


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many certificates there are. `waiting_since`: the earliest day of submission of those that wait for a review."""

    by_status: Mapping[Status, int]
    unpaid: int
    held: int
    mine: int
    waiting_since: date | None


async def count_certificates(work: Work, whose: Whose, officer: UUID) -> Counts:
    """Counts certificates by status; those in process by payment; those assigned to an officer."""
    by_status = select(certificates.c.status, func.count()).where(*whose.conditions).group_by(certificates.c.status)
    found: dict[Status, int] = {row[0]: row[1] for row in await work.session.execute(by_status)}
    unpaid = case((settlements.c.certificate_id.is_(None), 1))
    held = case((and_(certificates.c.status == Status.APPROVED, certificates.c.held_because.is_not(None)), 1))
    submitted_on = case((certificates.c.status == Status.SUBMITTED, certificates.c.submitted_on))
    in_process = (
        select(func.count(unpaid), func.count(held), func.min(submitted_on))
        .select_from(_with_payment(certificates))
        .where(*whose.conditions, certificates.c.status.in_(IN_PROCESS))
    )
    mine = (
        select(func.count())
        .select_from(certificates.join(assignments, _assigned_now(work)))
        .where(*whose.conditions, assignments.c.officer == officer)
    )
    owing, stuck, first = (await work.session.execute(in_process)).one()
    return Counts(
        by_status={status: found.get(status, 0) for status in Status},
        unpaid=owing,
        held=stuck,
        mine=await work.session.scalar(mine) or 0,
        waiting_since=first,
    )


async def list_products(
    work: Work, exporter_id: UUID | None, status: ProductStatus | None, search: str | None, after: str | None, limit: int
) -> tuple[list[Product], str | None]:
    """A page of products by description, and the cursor of the next page. Raises CursorMalformed."""
    rows = select(Product)
    if exporter_id is not None:
        rows = rows.where(products.c.exporter_id == exporter_id)
    if status is not None:
        rows = rows.where(products.c.status == status)
    if search is not None:
        found = products.c.search.contains(search.lower(), autoescape=True)
        if re.fullmatch("[0-9]{1,11}", search):
            found = found | products.c.hs_code.startswith(search)
        rows = rows.where(found)
    order = (By(products.c.listed_as), By(products.c.product_id))
    page, following = await page_of(work.session, rows, order, after, limit)
    return [row[0] for row in page], following


async def list_consignees(
    work: Work, exporter_id: UUID, agent_id: UUID | None, search: str | None, after: str | None, limit: int
) -> tuple[list[Row[Any]], str | None]:
    """A page of the consignees of an exporter's latest certificates, the last used first, and the cursor of the next page.

    Raises CursorMalformed.
    """
    c = certificates.c
    whose = Whose(exporter_id=exporter_id, agent_id=agent_id)
    named = [*whose.conditions, c.consignee != "", c.status != Status.DISCARDED]
    if search is not None:
        named.append(c.search.contains(search.lower(), autoescape=True))
    columns = (c.consignee, c.consignee_address, c.destination, c.port_of_discharge, c.drafted_at, c.certificate_id)
    latest = select(*columns).where(*named).order_by(c.drafted_at.desc(), c.certificate_id.desc()).limit(RECENT).subquery()
    same = (latest.c.consignee, latest.c.consignee_address)
    newest_first = (latest.c.drafted_at.desc(), latest.c.certificate_id.desc())
    number = func.row_number().over(partition_by=same, order_by=newest_first).label("number")
    ranked = select(*latest.c, number).subquery()
    order = (By(ranked.c.drafted_at, descending=True), By(ranked.c.certificate_id, descending=True))
    return await page_of(work.session, select(ranked).where(ranked.c.number == 1), order, after, limit)


async def _conditions(whose: Whose, wanted: Wanted, work: Work) -> list[ColumnElement[bool]]:
    c = certificates.c
    found = [c.status.in_(wanted.statuses) if wanted.statuses else c.status != Status.DISCARDED]
    if wanted.destination is not None:
        found.append(c.destination == wanted.destination)
    if wanted.officer is not None:
        found.append(assignments.c.officer == wanted.officer)
    if wanted.unpaid:
        found += [c.status.in_(IN_PROCESS), settlements.c.certificate_id.is_(None)]
    if wanted.search is not None:
        found.append(await _found_by(wanted.search, whose, work))
    return found


async def _found_by(search: str, whose: Whose, work: Work) -> ColumnElement[bool]:
    """The certificates found by a search. Few are looked up by their ids: each way to find them reads its own index.

    If many are found, the list is read in its order until a page is full.
    """
    text, beginning = search.lower(), search.upper()
    c = certificates.c
    named = select(exporters.c.exporter_id).where(exporters.c.search.contains(text, autoescape=True))
    ways = [c.search.contains(text, autoescape=True), c.exporter_id.in_(named)]
    if re.fullmatch("[A-Z0-9-]{1,32}", beginning):  # the range uses the index of references; Z is their last character
        ways.insert(0, and_(c.reference.between(beginning, beginning + "Z" * 32), c.reference.startswith(beginning)))
    found = union_all(*(select(c.certificate_id).where(*whose.conditions, way) for way in ways)).limit(FEW + 1)
    ids = (await work.session.scalars(found)).all()
    return c.certificate_id.in_(ids) if len(ids) <= FEW else or_(*ways)


def _with_payment(of: Any) -> Any:
    this = and_(
        settlements.c.certificate_id == certificates.c.certificate_id, settlements.c.submission == certificates.c.submission
    )
    return of.outerjoin(settlements, this)


def _assigned_now(work: Work) -> ColumnElement[bool]:
    return and_(assignments.c.certificate_id == certificates.c.certificate_id, assignments.c.until > work.now)


async def _completed(work: Work, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """The rows; those that a replica of the former release has inserted get the columns that it does not know."""
    listed: list[dict[str, Any]] = [dict(row._mapping) for row in rows]
    if without := {row["certificate_id"]: row for row in listed if not row["item_count"]}:
        c = certificates.c
        query = select(c.certificate_id, c.consignment).where(c.certificate_id.in_(without))
        for certificate_id, consignment in await work.session.execute(query):
            without[certificate_id].update(columns_of(consignment))
    return listed
