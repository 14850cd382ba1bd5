"""The tables of tracking: the public data of each certificate, and the steps of its transmissions."""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import JSON, Column, Date, Integer, MetaData, Select, String, Table, Uuid, select
from sqlalchemy.orm import registry

from shared.database.column_types import UtcDateTime
from shared.handling.work import Work
from shared.refusals import Refused

TABLES = MetaData()

tracked_certificates = Table(
    "tracked_certificates",
    TABLES,
    Column("reference", String(30), primary_key=True),
    Column("certificate_id", Uuid, nullable=False, unique=True),
    Column("form", String(10), nullable=False),
    Column("destination", String(2), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

tracked_steps = Table(
    "tracked_steps",
    TABLES,
    Column("reference", String(30), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("code", String(3), primary_key=True),
    Column("certificate_id", Uuid, nullable=False),
    Column("country", String(2), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("version", Integer, nullable=False),
)


class CertificateNotFound(Refused):
    code = "certificate_not_found"


@dataclass(eq=False)
class TrackedCertificate:
    """The public data of an issued certificate."""

    reference: str
    certificate_id: UUID
    form: str
    destination: str
    issued_on: date
    valid_until: date
    version: int


@dataclass(eq=False)
class TrackedStep:
    """A code that a transmission of a certificate has reached. `version` gives the order of steps, independent of clocks."""

    reference: str
    number: int
    code: str
    certificate_id: UUID
    country: str
    at: datetime
    version: int
    reasons: list[str] = field(default_factory=list)


Fact = TypeVar("Fact", TrackedCertificate, TrackedStep)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(TrackedCertificate, tracked_certificates)
_mapping.map_imperatively(TrackedStep, tracked_steps)


async def store_newest(work: Work, fact: Fact) -> None:
    """Stores a fact unless the same or a newer one is stored: events may arrive in any order, and repeatedly."""
    table = tracked_certificates if isinstance(fact, TrackedCertificate) else tracked_steps
    await work.insert_newer(table, asdict(fact))


async def certificate_by_reference(work: Work, reference: str) -> TrackedCertificate:
    """The certificate of a reference. Raises CertificateNotFound."""
    found = await work.session.get(TrackedCertificate, reference)
    if found is None:
        raise CertificateNotFound("reference", certificate=reference)
    return found


async def steps_of(work: Work, reference: str) -> list[TrackedStep]:
    """The steps of all transmissions of a certificate, in order."""
    steps = select(TrackedStep).where(tracked_steps.c.reference == reference)
    return list((await work.session.scalars(steps.order_by(tracked_steps.c.number, tracked_steps.c.version))).all())


def certificates_at(code: str) -> Select[Any]:
    """The certificates with a transmission that has reached a code."""
    return select(tracked_steps.c.certificate_id).where(tracked_steps.c.code == code).distinct()


def certificates_through(*codes: str) -> Select[Any]:
    """The certificates with one transmission that has reached these codes, in this order."""
    first, *others = (tracked_steps.alias(code) for code in codes)
    through = select(first.c.certificate_id).where(first.c.code == codes[0]).distinct()
    former = first
    for step, code in zip(others, codes[1:], strict=True):
        same = (step.c.reference == former.c.reference) & (step.c.number == former.c.number)
        through = through.join(step, same & (step.c.code == code) & (step.c.version > former.c.version))
        former = step
    return through


issued_certificates = select(tracked_certificates.c.certificate_id)
references = select(tracked_certificates.c.reference)
