"""The queries of the gateway's lists. A list never reads whole documents."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, select

from services.gateway.cancellations import inbound_cancellations
from services.gateway.domain import E_FORM_D, WAITING, DocumentNotReceived, InboundDocument
from services.gateway.store import inbound_documents, steps, transmissions
from shared.database.paging import By, page_of, unindexed
from shared.handling.work import Work

NEWEST = (By(transmissions.c.began_at, descending=True), By(transmissions.c.transmission_id, descending=True))
FEW = 1000
"""So many documents found by a search are looked up by their ids."""
MAX_REFERENCE, LAST = 30, "Z"
"""The length of a reference, and the last of its characters."""
LATEST = (By(inbound_documents.c.received_at, descending=True), By(inbound_documents.c.document_id, descending=True))


@dataclass(frozen=True)
class Wanted:
    """Which transmissions to list. None: of all. `open`: only those that customs have not decided."""

    exporter_id: UUID | None = None
    agent_id: UUID | None = None
    destination: str | None = None
    open: bool = False
    kind: str = E_FORM_D


async def transmissions_page(work: Work, wanted: Wanted, after: str | None, limit: int) -> tuple[list[Row[Any]], str | None]:
    """One page of transmissions, newest first, with the code and the time of the last step."""
    own = steps.c.transmission_id == transmissions.c.transmission_id
    last = select(func.max(steps.c.position)).where(own).correlate(transmissions).scalar_subquery()
    columns = [transmissions.c[name] for name in ("transmission_id", "certificate_id", "reference", "destination", "number")]
    rows = select(*columns, steps.c.code, steps.c.at).outerjoin(steps, own & (steps.c.position == last))
    rows = rows.where(transmissions.c.kind == wanted.kind)
    for column in ("exporter_id", "agent_id", "destination"):
        if (value := getattr(wanted, column)) is not None:
            rows = rows.where(transmissions.c[column] == value)
    if wanted.open:
        # a replica of the former release does not write `answered`
        answer = steps.alias("answer")
        answers = exists().where(answer.c.transmission_id == transmissions.c.transmission_id, answer.c.code.not_in(WAITING))
        rows = rows.where(~transmissions.c.answered, ~answers)
    return await page_of(work.session, rows, NEWEST, after, limit)


async def received_page(
    work: Work, origin: str | None, search: str | None, after: str | None, limit: int
) -> tuple[list[Row[Any]], str | None]:
    """One page of received documents, newest first. `search`: the beginning of a reference."""
    names = ("sender", "reference", "number", "received_at", "decided_at", "reasons", "responses", "valid_until", "kind")
    ended = and_(
        inbound_cancellations.c.sender == inbound_documents.c.sender,
        inbound_cancellations.c.reference == inbound_documents.c.reference,
    )
    rows = select(*(inbound_documents.c[name] for name in names), inbound_cancellations.c.cancelled_at)
    rows = rows.select_from(inbound_documents.outerjoin(inbound_cancellations, ended))
    if origin is not None:
        sender = inbound_documents.c.sender
        rows = rows.where((sender if search is None else unindexed(sender)) == origin)
    if search is not None:
        rows = rows.where(await _found_by(search.upper(), work))
    return await page_of(work.session, rows, LATEST, after, limit)


async def _found_by(first: str, work: Work) -> ColumnElement[bool]:
    """The documents whose reference begins so. Few are looked up by their ids; with many, the list is read in its order.

    SQLite uses its index for a range only, and PostgreSQL for LIKE only.
    """
    reference = inbound_documents.c.reference
    begins = reference.startswith(first, autoescape=True)
    found = select(inbound_documents.c.document_id).where(begins).limit(FEW + 1)
    if work.session.get_bind().dialect.name == "sqlite":
        found = found.where(reference.between(first, first + LAST * MAX_REFERENCE))
    ids = (await work.session.scalars(found)).all()
    return inbound_documents.c.document_id.in_(ids) if len(ids) <= FEW else begins


async def newest_received(work: Work, origin: str, reference: str) -> InboundDocument:
    """The newest document that a country sent under a reference. Raises DocumentNotReceived."""
    same = (inbound_documents.c.sender == origin, inbound_documents.c.reference == reference)
    newest = select(InboundDocument).where(*same).order_by(inbound_documents.c.number.desc()).limit(1)
    found = (await work.session.scalars(newest)).first()
    if found is None:
        raise DocumentNotReceived("reference", origin=origin, reference=reference)
    return found
