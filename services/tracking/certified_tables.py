"""The table of certified exporters, by whose codes the public checks origin declarations. It has no names."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Date, Integer, String, Table, Uuid, select

from services.tracking.metadata import TABLES
from shared.handling.work import Work

tracked_certified_exporters = Table(
    "tracked_certified_exporters",
    TABLES,
    Column("code", String(20), primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("withdrawn_on", Date),
    Column("suspensions", JSON, nullable=False),
    Column("signatories", JSON, nullable=False),
    Column("goods", JSON, nullable=False),
    Column("version", Integer, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class TrackedCertifiedExporter:
    """A certified exporter. `suspensions`, `signatories`, `goods`: as in the event, as JSON."""

    code: str
    exporter_id: UUID
    valid_from: date
    valid_until: date
    withdrawn_on: date | None
    suspensions: list[dict[str, Any]]
    signatories: list[dict[str, Any]]
    goods: list[dict[str, Any]]
    version: int


async def store_certified(work: Work, certified: TrackedCertifiedExporter) -> None:
    """Stores a certified exporter unless the same or a newer state is stored."""
    await work.insert_newer(tracked_certified_exporters, vars(certified))


async def find_certified(work: Work, code: str) -> TrackedCertifiedExporter | None:
    """The certified exporter with a code, or None."""
    this = select(tracked_certified_exporters).where(tracked_certified_exporters.c.code == code)
    row = (await work.session.execute(this)).first()
    return None if row is None else TrackedCertifiedExporter(**row._mapping)


certified_codes = select(tracked_certified_exporters.c.code)
