"""Queries for exporters and mandates, as registry announced them."""

from uuid import UUID

from sqlalchemy import bindparam, select

from services.certificates.domain.exporter import Exporter, Mandate, Standing
from services.certificates.store.tables import exporters, mandates, standings
from shared.handling.work import Work

_EXPORTER = (
    select(*(column for column in exporters.c if column.name != "search"), standings.c.standing)
    .select_from(exporters.outerjoin(standings, standings.c.exporter_id == exporters.c.exporter_id))
    .where(exporters.c.exporter_id == bindparam("exporter_id"))
)
_MANDATE = select(mandates).where(mandates.c.mandate_id == bindparam("mandate_id"))


async def find_exporter(work: Work, exporter_id: UUID) -> Exporter | None:
    """The exporter, or None before its first approval arrives."""
    row = (await work.session.execute(_EXPORTER, {"exporter_id": exporter_id})).first()
    return None if row is None else Exporter(**{**row._mapping, "standing": row.standing or Standing.ACTIVE})


async def keep_exporter(work: Work, exporter: Exporter) -> None:
    """Keeps an approval unless a later one is known."""
    row = {name: value for name, value in vars(exporter).items() if name != "standing"}
    await work.insert_newer(exporters, row | {"search": exporter.name.lower()})


async def keep_standing(work: Work, exporter_id: UUID, standing: Standing, version: int) -> None:
    """Keeps the state of a registration unless a later one is known. The approval may arrive afterwards."""
    row = {"exporter_id": exporter_id, "standing": standing, "version": version}
    await work.insert_newer(standings, row)


async def keep_mandate(work: Work, mandate: Mandate) -> None:
    """Keeps a mandate that was granted."""
    await work.insert_newer(mandates, vars(mandate))


async def find_mandate(work: Work, mandate_id: UUID) -> Mandate | None:
    """The mandate, or None before it arrives."""
    row = (await work.session.execute(_MANDATE, {"mandate_id": mandate_id})).first()
    return None if row is None else Mandate(**row._mapping)


known_exporters = select(exporters.c.exporter_id)
known_mandates = select(mandates.c.mandate_id)
suspended_exporters = select(standings.c.exporter_id).where(standings.c.standing == Standing.SUSPENDED)
expired_exporters = select(standings.c.exporter_id).where(standings.c.standing == Standing.EXPIRED)
