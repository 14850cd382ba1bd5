"""The tables of tracking: public data of certificates, of their way through the offices and to customs, and of partners."""

from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Uuid,
    func,
    select,
)
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
    Index("ix_tracked_steps_code", "code", "at"),
)

tracked_transmissions = Table(
    "tracked_transmissions",
    TABLES,
    Column("reference", String(30), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("destination", String(2), nullable=False),
    Column("code", String(3), nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_tracked_transmissions_code", "code", "destination"),
)

tracked_progress = Table(
    "tracked_progress",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("status", String(40), nullable=False, index=True),
    Column("version", Integer, nullable=False),
)

reached_statuses = Table(
    "reached_statuses",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("status", String(40), primary_key=True),
    Column("office", String(10), nullable=False),
    Column("destination", String(10), nullable=False),
    Column("submission", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_reached_statuses_status", "status", "at"),
)

tracked_partners = Table(
    "tracked_partners",
    TABLES,
    Column("country", String(2), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("since", UtcDateTime, nullable=False),
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


@dataclass(eq=False)
class TrackedTransmission:
    """The code that a transmission has reached last."""

    reference: str
    number: int
    destination: str
    code: str
    version: int


@dataclass(eq=False)
class Progress:
    """The present status of a certificate."""

    certificate_id: UUID
    status: str
    version: int


@dataclass(eq=False)
class ReachedStatus:
    """When a certificate reached a status last. A returned certificate is submitted several times: `submission` counts them."""

    certificate_id: UUID
    status: str
    office: str
    destination: str
    submission: int
    at: datetime
    version: int


@dataclass(eq=False)
class TrackedPartner:
    """Whether the gateway of a partner accepts messages."""

    country: str
    state: Literal["up", "down"]
    since: datetime
    version: int


MAPPED: dict[type, Table] = {
    TrackedCertificate: tracked_certificates,
    TrackedStep: tracked_steps,
    TrackedTransmission: tracked_transmissions,
    Progress: tracked_progress,
    ReachedStatus: reached_statuses,
    TrackedPartner: tracked_partners,
}
Fact = TrackedCertificate | TrackedStep | TrackedTransmission | Progress | ReachedStatus | TrackedPartner

_mapping = registry(metadata=TABLES)
for _kind, _table in MAPPED.items():
    _mapping.map_imperatively(_kind, _table)


async def store_newest(work: Work, fact: Fact) -> None:
    """Stores a fact unless the same or a newer one is stored: events may arrive in any order, and repeatedly."""
    await work.insert_newer(MAPPED[type(fact)], asdict(fact))


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


async def steps_counted(work: Work, references: list[str]) -> dict[str, int]:
    """How many steps each of these certificates has; none if it has no step."""
    counted = select(tracked_steps.c.reference, func.count().label("steps")).where(tracked_steps.c.reference.in_(references))
    rows = await work.session.execute(counted.group_by(tracked_steps.c.reference))
    return {row.reference: row.steps for row in rows}


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
