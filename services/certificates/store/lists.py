"""Lists and counts of certificates, products and consignees. A list reads no items and needs no query per row."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    Row,
    ScalarSelect,
    Select,
    and_,
    exists,
    func,
    or_,
    select,
    union_all,
)

from services.certificates.domain.life_cycle import IN_PROCESS, Status
from services.certificates.domain.product import Product, ProductStatus
from services.certificates.store.certificates import columns_of
from services.certificates.store.tables import (
    assignments,
    certificates,
    consignee_names,
    exporters,
    numbers,
    products,
    settlements,
)
from shared.database.paging import By, beginning, page_of, unindexed
from shared.handling.work import Work

RECENT = 2000
"""The latest certificates of an exporter in which its consignees are looked up."""

MAX_COUNTED = 2000
"""So many certificates of a status are counted."""

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


def _is_of_this_submission(payment: FromClause) -> ColumnElement[bool]:
    c = certificates.c
    return and_(payment.c.certificate_id == c.certificate_id, payment.c.submission == c.submission)


_UNPAID = ~exists().where(_is_of_this_submission(settlements.alias("paid")))


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

    @property
    def searched(self) -> list[ColumnElement[bool]]:
        """The same for a search. No index of offices is used: an office has too many certificates."""
        return [*replace(self, office=None).conditions, *replace(self, exporter_id=None, agent_id=None).unindexed]

    @property
    def unindexed(self) -> list[ColumnElement[bool]]:
        """The same for what is found by an index of another table."""
        return [unindexed(certificates.c[name]) == value for name, value in vars(self).items() if value is not None]


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
        .select_from(certificates.outerjoin(exporters, exporters.c.exporter_id == certificates.c.exporter_id))
        .outerjoin(settlements, _is_of_this_submission(settlements))
        .outerjoin(assignments, and_(*_assigned_now(work)))
    )
    first = By(certificates.c.status_since) if longest_waiting else By(certificates.c.drafted_at, descending=True)
    order = (first, By(certificates.c.certificate_id, descending=first.descending))

    statuses = _statuses(whose, wanted, longest_waiting=longest_waiting)
    conditions = await _conditions(whose, wanted, statuses, lambda each: beginning(each, order, after, limit), work)
    page, following = await page_of(work.session, rows.where(*conditions), order, after, limit)
    return await _completed(work, page), following


def _statuses(whose: Whose, wanted: Wanted, *, longest_waiting: bool) -> Sequence[Status]:
    """The wanted statuses. None of them stands for all but the discarded ones, where an index has these in order."""
    if wanted.statuses or not (longest_waiting or whose.agent_id or wanted.destination is not None):
        return wanted.statuses
    return [status for status in Status if status is not Status.DISCARDED]


async def _conditions(
    whose: Whose, wanted: Wanted, statuses: Sequence[Status], beginning_of: Callable[[Select[Any]], Select[Any]], work: Work
) -> list[ColumnElement[bool]]:
    """The conditions of a list. If no index has its order, the ids of all that a page may have are found first."""
    c = certificates.c
    few, by_search = (None, None) if wanted.search is None else await _found_by(wanted.search, whose, work)
    by_others = few is not None or wanted.officer is not None
    column = unindexed if by_others else lambda same: same
    if wanted.unpaid:
        statuses = [status for status in statuses or IN_PROCESS if status in IN_PROCESS]
    found = [] if wanted.destination is None else [column(c.destination) == wanted.destination]
    found += [_UNPAID] if wanted.unpaid else []
    found += [by_search] if by_search is not None and few is None else []
    by_status = column(c.status).in_(statuses) if statuses or wanted.unpaid else c.status != Status.DISCARDED
    if by_others:
        found += [c.certificate_id.in_(few)] if few is not None else []
        found += [assignments.c.officer == wanted.officer] if wanted.officer is not None else []
        return [*whose.unindexed, *found, by_status]
    if len(statuses) > 1:
        return [c.certificate_id.in_(_first_of_each(statuses, [*whose.conditions, *found], beginning_of))]
    return [*whose.conditions, *found, by_status]


def _first_of_each(
    statuses: Sequence[Status], found: Sequence[ColumnElement[bool]], beginning_of: Callable[[Select[Any]], Select[Any]]
) -> CompoundSelect[Any]:
    """The certificates that a page of several statuses may have: the first of each status. An index has each in order."""
    c = certificates.c
    firsts = (beginning_of(select(c.certificate_id).where(*found, c.status == status)).subquery() for status in statuses)
    return union_all(*(select(first.c.certificate_id) for first in firsts))


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many certificates there are. Of the statuses in `at_least` there are more than were counted.

    `waiting_since`: the earliest day of submission of those that wait for a review.
    """

    by_status: Mapping[Status, int]
    at_least: Sequence[Status]
    unpaid: int
    held: int
    mine: int
    waiting_since: date | None


async def count_certificates(work: Work, whose: Whose, officer: UUID) -> Counts:
    """Counts certificates by status; those in process by payment; those assigned to an officer."""
    c = certificates.c
    own = select(c.certificate_id).where(*whose.conditions)
    by_status = {status: _count(own.where(c.status == status).limit(MAX_COUNTED + 1)) for status in Status}
    oldest = select(c.submitted_on).where(*whose.conditions, c.status == Status.SUBMITTED).order_by(c.status_since).limit(1)
    others = (
        _count(own.where(c.status.in_(IN_PROCESS), _UNPAID)),
        _count(own.where(c.status == Status.APPROVED, c.held_because.is_not(None))),
        _count(select(assignments.c.officer).where(*whose.unindexed, *_assigned_now(work), assignments.c.officer == officer)),
        oldest.scalar_subquery(),
    )
    *found, unpaid, held, mine, waiting_since = (await work.session.execute(select(*by_status.values(), *others))).one()
    counted = dict(zip(Status, found, strict=True))
    at_least = [status for status, count in counted.items() if count > MAX_COUNTED]
    counted |= dict.fromkeys(at_least, MAX_COUNTED)
    if whose.exporter_id is None and Status.ISSUED in at_least:
        at_least.remove(Status.ISSUED)
        counted[Status.ISSUED] = await _numbers_given(whose.office, work)
    return Counts(by_status=counted, at_least=at_least, unpaid=unpaid, held=held, mine=mine, waiting_since=waiting_since)


def _count(some: Select[Any]) -> ScalarSelect[int]:
    return select(func.count()).select_from(some.subquery()).scalar_subquery()


async def _numbers_given(office: str | None, work: Work) -> int:
    """How many certificates an office has issued, or all offices: numbers have no gap."""
    given = select(func.sum(numbers.c.last))
    if office is not None:
        given = given.where(numbers.c.office == office)
    return await work.session.scalar(given) or 0


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


async def _found_by(search: str, whose: Whose, work: Work) -> tuple[Sequence[UUID] | None, ColumnElement[bool]]:
    """The ids of the certificates found by a search, if they are few, and the condition for certificates read in order.

    Few are looked up by their ids: each way to find them reads its own index. If many are found, the list is read in its order
    until a page is full.
    """
    text, first = search.lower(), search.upper()
    c, company = certificates.c, exporters.alias("company")
    names = select(consignee_names.c.search).where(consignee_names.c.search.contains(text, autoescape=True))
    named = select(company.c.exporter_id).where(company.c.search.contains(text, autoescape=True))
    ways: list[ColumnElement[bool]] = [c.search.in_(names), c.exporter_id.in_(named)]
    of_its = exists().where(company.c.exporter_id == c.exporter_id, company.c.search.contains(text, autoescape=True))
    in_order = [c.search.contains(text, autoescape=True), of_its]
    if re.fullmatch("[A-Z0-9-]{1,32}", first):  # the range uses the index of references; Z is their last character
        numbered = and_(c.reference.between(first, first + "Z" * 32), c.reference.startswith(first))
        ways, in_order = [numbered, *ways], [numbered, *in_order]
    found = union_all(*(select(c.certificate_id).where(*whose.searched, way) for way in ways)).limit(FEW + 1)
    ids = (await work.session.scalars(found)).all()
    return ids if len(ids) <= FEW else None, or_(*in_order)


def _assigned_now(work: Work) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return assignments.c.certificate_id == certificates.c.certificate_id, assignments.c.until > work.now


async def _completed(work: Work, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """The rows; those that a replica of the former release has inserted get the columns that it does not know."""
    listed: list[dict[str, Any]] = [dict(row._mapping) for row in rows]
    if without := {row["certificate_id"]: row for row in listed if not row["item_count"]}:
        c = certificates.c
        query = select(c.certificate_id, c.consignment).where(c.certificate_id.in_(without))
        for certificate_id, consignment in await work.session.execute(query):
            without[certificate_id].update(columns_of(consignment))
    return listed
