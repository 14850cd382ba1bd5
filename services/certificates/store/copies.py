"""The register of contingency prints: gap-free numbers by office and year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update

from services.certificates.store.tables import contingency_copies as copies
from services.certificates.store.tables import contingency_numbers as numbers
from shared.database.upserts import add_one, raise_to
from shared.handling.work import Work


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A contingency print. It has its number before its PDF is made."""

    office: str
    year: int
    serial: int
    certificate_id: UUID
    reason: str
    printed_on: date
    printed_at: datetime
    printed_by: UUID | None
    sha256: str | None = None
    key_id: str | None = None
    locked_summary: str | None = None

    @property
    def number(self) -> str:
        """The number of the print, such as `PNH-2026-00001`."""
        return f"{self.office}-{self.year}-{self.serial:05}"


async def next_copy_serial(work: Work, office: str, year: int) -> int:
    """The next number of an office and year. It is gap-free, because the same transaction takes and registers it."""
    return await add_one(work.session, numbers, {"office": office, "year": year}, "last")


async def skip_copies_up_to(work: Work, number: str) -> None:
    """Recovery: this number was given, so the next one is above it."""
    office, year, serial = number.split("-")
    await raise_to(work.session, numbers, {"office": office, "year": int(year)}, "last", int(serial))


async def register_copy(work: Work, copy: Copy) -> None:
    """Registers a print with its number."""
    await work.insert_new(copies, [vars(copy)])


async def complete_copy(work: Work, copy: Copy, *, sha256: str, key_id: str, locked_summary: str) -> None:
    """Keeps that the PDF of a print is made."""
    this = (copies.c.office == copy.office) & (copies.c.year == copy.year) & (copies.c.serial == copy.serial)
    await work.session.execute(update(copies).where(this).values(sha256=sha256, key_id=key_id, locked_summary=locked_summary))


async def find_copy(work: Work, office: str, year: int, serial: int) -> Copy | None:
    """The print with a number, or None."""
    this = (copies.c.office == office) & (copies.c.year == year) & (copies.c.serial == serial)
    row = (await work.session.execute(select(copies).where(this))).first()
    return None if row is None else Copy(**row._mapping)


async def copies_of(work: Work, certificate_id: UUID) -> Sequence[Copy]:
    """The prints of a certificate, latest first; at most 100."""
    these = select(copies).where(copies.c.certificate_id == certificate_id).order_by(copies.c.printed_at.desc()).limit(100)
    return [Copy(**row._mapping) for row in await work.session.execute(these)]


with_copies = select(copies.c.certificate_id).distinct()
