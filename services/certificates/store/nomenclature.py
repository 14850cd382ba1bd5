"""Queries for the nomenclature. Each replica keeps the edition in force in memory; a complete edition does not change."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update

from services.certificates.domain.nomenclature import Line, Nomenclature
from services.certificates.store.nomenclature_tables import nomenclature_editions, nomenclature_lines
from shared.handling.work import Work

_E, _L = nomenclature_editions.c, nomenclature_lines.c
_EDITION = select(nomenclature_editions).where(_E.edition_id == bindparam("wanted"))
_COMPLETE = select(nomenclature_editions).where(_E.complete).order_by(_E.valid_from.desc(), _E.loaded_at.desc())
_IN_FORCE = _COMPLETE.where(_E.valid_from <= bindparam("today")).limit(1)
_LINES = select(_L.code, _L.description).where(_L.edition_id == bindparam("wanted"))
_COUNT = select(func.count()).where(_L.edition_id == bindparam("wanted"))
_BEGUN = select(_E.edition_id).where(_E.name == bindparam("of"), ~_E.complete)
_COMPLETED = update(nomenclature_editions).where(_E.edition_id == bindparam("wanted"))


@dataclass(frozen=True, kw_only=True)
class Edition:
    """An edition as it is stored."""

    edition_id: UUID
    name: str
    valid_from: date
    sha256: str
    size: int
    complete: bool
    loaded_at: datetime


class KeptNomenclature:
    """The edition in force in the memory of this replica."""

    def __init__(self) -> None:
        self.edition_id: UUID | None = None
        self.nomenclature: Nomenclature | None = None


async def nomenclature_in_force(work: Work) -> Nomenclature | None:
    """The edition in force today; None if none is loaded. It is read again only when another edition is in force."""
    edition = await edition_in_force(work)
    if edition is None:
        return None
    kept = work.use(KeptNomenclature)
    if kept.edition_id != edition.edition_id:
        lines = await lines_of(work, edition.edition_id)
        kept.nomenclature = await asyncio.to_thread(Nomenclature, edition.name, lines)
        kept.edition_id = edition.edition_id
    return kept.nomenclature


async def edition_in_force(work: Work) -> Edition | None:
    """The complete edition that is valid today. Of two with the same day the one that was loaded last replaces the other."""
    row = (await work.session.execute(_IN_FORCE, {"today": work.today})).first()
    return None if row is None else Edition(**row._mapping)


async def find_edition(work: Work, edition_id: UUID) -> Edition | None:
    """An edition, complete or not, or None. A command locks it."""
    wanted = _EDITION.with_for_update() if work.may_write else _EDITION
    row = (await work.session.execute(wanted, {"wanted": edition_id})).first()
    return None if row is None else Edition(**row._mapping)


async def complete_editions(work: Work) -> list[Edition]:
    """All complete editions, the latest first."""
    return [Edition(**row._mapping) for row in await work.session.execute(_COMPLETE)]


async def lines_of(work: Work, edition_id: UUID) -> list[Line]:
    """The lines of an edition."""
    return [Line(*row) for row in await work.session.execute(_LINES, {"wanted": edition_id})]


async def add_lines(work: Work, edition: Edition, lines: Sequence[Line]) -> int:
    """Adds new lines to an edition that is not complete, and returns how many it has."""
    await work.insert_new(nomenclature_editions, [vars(edition)])
    rows = [{"edition_id": edition.edition_id, "code": line.code, "description": line.description} for line in lines]
    await work.insert_new(nomenclature_lines, rows)
    return int((await work.session.execute(_COUNT, {"wanted": edition.edition_id})).scalar_one())


async def complete_edition(work: Work, edition: Edition) -> None:
    """Makes an edition usable, and deletes what earlier attempts to load this edition have left."""
    await work.session.execute(_COMPLETED.values(complete=True, loaded_at=work.now), {"wanted": edition.edition_id})
    begun = list(await work.session.scalars(_BEGUN, {"of": edition.name}))
    if begun:
        await work.session.execute(delete(nomenclature_lines).where(_L.edition_id.in_(begun)))
        await work.session.execute(delete(nomenclature_editions).where(_E.edition_id.in_(begun)))
