"""Queries for the register of certified exporters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from services.certificates.domain.certified import CertifiedAct, CertifiedExporter, CertifiedStatus
from services.certificates.store.certified_tables import (
    certified_exporter_acts,
    certified_exporter_numbers,
    certified_exporters,
)
from services.certificates.store.tables import exporters
from shared.database.paging import By, page_of
from shared.database.upserts import add_one, raise_to
from shared.handling.work import Work

MAX_ACTS = 100
MAX_FOUND = 20
_C, _A = certified_exporters.c, certified_exporter_acts.c
_OF_EXPORTER = select(certified_exporters).where(_C.exporter_id == bindparam("of")).order_by(_C.code.desc()).limit(1)
_BY_CODE = select(certified_exporters).where(_C.code == bindparam("wanted"))
_ACTS = select(certified_exporter_acts).where(_A.code == bindparam("wanted")).order_by(_A.version.desc()).limit(MAX_ACTS)


@dataclass(frozen=True, kw_only=True)
class KeptAct:
    """What was done with a certified exporter. `user_id`: None if it followed from the registration."""

    code: str
    version: int
    act: CertifiedAct
    at: datetime
    reason: str
    user_id: UUID | None = None


async def find_certified(work: Work, exporter_id: UUID) -> CertifiedExporter | None:
    """The latest certification of an exporter, or None. A command or an event locks it."""
    wanted = _OF_EXPORTER.with_for_update() if work.may_write else _OF_EXPORTER
    row = (await work.session.execute(wanted, {"of": exporter_id})).first()
    return None if row is None else CertifiedExporter(**row._mapping)


async def certified_by_code(work: Work, code: str) -> CertifiedExporter | None:
    """The certification with a code, or None."""
    row = (await work.session.execute(_BY_CODE, {"wanted": code})).first()
    return None if row is None else CertifiedExporter(**row._mapping)


async def next_number(work: Work, year: int) -> int:
    """The next number of a year. It is gap-free, because the same transaction takes and uses it."""
    return await add_one(work.session, certified_exporter_numbers, {"year": year}, "last")


async def skip_codes_up_to(work: Work, code: str) -> None:
    """Recovery: this code was given, so the next one is above it."""
    *_, year, number = code.split("-")
    await raise_to(work.session, certified_exporter_numbers, {"year": int(year)}, "last", int(number))


async def keep_certified(work: Work, certified: CertifiedExporter) -> None:
    """Keeps the present state of a certified exporter."""
    await work.insert_newer(certified_exporters, vars(certified))


async def keep_act(work: Work, act: KeptAct) -> None:
    """Keeps an act and its reason."""
    await work.insert_new(certified_exporter_acts, [vars(act)])


async def acts_of(work: Work, code: str) -> list[KeptAct]:
    """The acts on a certified exporter, the last first, at most 100."""
    return [KeptAct(**row._mapping) for row in await work.session.execute(_ACTS, {"wanted": code})]


async def list_certified(
    work: Work, status: CertifiedStatus | None, after: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """A page of the register by code, and the cursor of the next page. Raises CursorMalformed."""
    columns = (_C.exporter_id, _C.code, _C.status, _C.valid_from, _C.valid_until, exporters.c.name)
    named = certified_exporters.outerjoin(exporters, exporters.c.exporter_id == _C.exporter_id)
    rows = select(*columns).select_from(named)
    if status is not None:
        rows = rows.where(_C.status == status)
    return await page_of(work.session, rows, [By(_C.code)], after, limit)


async def search_exporters(work: Work, text: str | None, exporter_id: UUID | None) -> list[tuple[UUID, str, str | None]]:
    """The exporters with a text in their name, or with an id; at most 20.

    Each has the code of a certification that was not withdrawn.
    """
    wanted = [] if text is None else [exporters.c.search.contains(text.lower(), autoescape=True)]
    wanted += [] if exporter_id is None else [exporters.c.exporter_id == exporter_id]
    found = select(exporters.c.exporter_id, exporters.c.name).where(*wanted).order_by(exporters.c.search).limit(MAX_FOUND)
    rows = (await work.session.execute(found)).all()
    mine = (_C.exporter_id.in_([row.exporter_id for row in rows]), _C.status != CertifiedStatus.WITHDRAWN)
    codes = {row.exporter_id: row.code for row in await work.session.execute(select(_C.exporter_id, _C.code).where(*mine))}
    return [(row.exporter_id, row.name, codes.get(row.exporter_id)) for row in rows]


codes = select(certified_exporters.c.code)
