"""The tables of tracking: public data of certificates, of their way through the offices and to customs, and of partners."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    select,
)

from services.tracking import certified_tables as certified_tables
from services.tracking import check_keys as check_keys
from services.tracking.metadata import TABLES
from services.tracking.outage_tables import TrackedNotice, TrackedOutage, tracked_notices, tracked_outages
from shared.database.column_types import UtcDateTime
from shared.handling.work import Work
from shared.refusals import Refused

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
_received = tracked_steps.c.code == "REC"
Index(
    "ix_tracked_steps_received",
    tracked_steps.c.country,
    tracked_steps.c.at,
    postgresql_where=_received,
    sqlite_where=_received,
)

tracked_transmissions = Table(
    "tracked_transmissions",
    TABLES,
    Column("reference", String(30), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("destination", String(2), nullable=False),
    Column("code", String(3), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime),
    Index("ix_tracked_transmissions_code", "code", "destination"),
)
_waiting = tracked_transmissions.c.code == "AS1"
Index(
    "ix_tracked_transmissions_waiting",
    tracked_transmissions.c.destination,
    tracked_transmissions.c.at,
    postgresql_where=_waiting,
    sqlite_where=_waiting,
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

tracked_cancellations = Table(
    "tracked_cancellations",
    TABLES,
    Column("reference", String(30), primary_key=True),
    Column("cancelled_at", UtcDateTime, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("replaced_by", String(30)),
    Column("version", Integer, nullable=False),
)

tracked_seals = Table(
    "tracked_seals",
    TABLES,
    Column("sha256", String(64), primary_key=True),
    Column("certificate_id", Uuid, nullable=False),
    Column("reference", String(30), nullable=False),
    Column("key_id", String(20), nullable=False),
    Column("summary", Text, nullable=False),
    Column("contingency_number", String(40)),
    Column("sealed_at", UtcDateTime, nullable=False),
    Index("ix_tracked_seals_reference", "reference"),
)

tracked_data = Table(
    "tracked_data",
    TABLES,
    Column("sha256", String(64), primary_key=True),
    Column("reference", String(30), nullable=False),
    Column("key_id", String(20), nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
    Index("ix_tracked_data_reference", "reference"),
)

tracked_keys = Table(
    "tracked_keys",
    TABLES,
    Column("key_id", String(20), primary_key=True),
    Column("office", String(10), nullable=False),
    Column("certificate", Text, nullable=False),
    Column("withdrawn_since", UtcDateTime),
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
    """The code that a transmission has reached last, and when; None if a former release has stored it."""

    reference: str
    number: int
    destination: str
    code: str
    version: int
    at: datetime | None = None


@dataclass(eq=False)
class TrackedCancellation:
    """When a certificate was cancelled, the code of the reason, and the certificate that replaces it, if there is one."""

    reference: str
    cancelled_at: datetime
    reason: str
    replaced_by: str | None
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


TABLE_OF: dict[type, Table] = {
    TrackedCertificate: tracked_certificates,
    TrackedStep: tracked_steps,
    TrackedTransmission: tracked_transmissions,
    Progress: tracked_progress,
    ReachedStatus: reached_statuses,
    TrackedPartner: tracked_partners,
    TrackedCancellation: tracked_cancellations,
    TrackedOutage: tracked_outages,
    TrackedNotice: tracked_notices,
}
Fact = (
    TrackedCertificate
    | TrackedStep
    | TrackedTransmission
    | TrackedCancellation
    | Progress
    | ReachedStatus
    | TrackedPartner
    | TrackedOutage
    | TrackedNotice
)


async def store_newest(work: Work, fact: Fact) -> None:
    """Stores a fact unless the same or a newer one is stored: events may arrive in any order, and repeatedly."""
    await work.insert_newer(TABLE_OF[type(fact)], vars(fact))


@dataclass(frozen=True)
class Tracked:
    """A certificate with the steps of all its transmissions, in order, and its cancellation."""

    certificate: TrackedCertificate
    steps: list[TrackedStep]
    cancellation: TrackedCancellation | None = None


_together = tracked_certificates.outerjoin(
    tracked_cancellations, tracked_cancellations.c.reference == tracked_certificates.c.reference
).outerjoin(tracked_steps, tracked_steps.c.reference == tracked_certificates.c.reference)
_of_references = (
    select(
        *tracked_certificates.c,
        *(tracked_cancellations.c[name] for name in ("cancelled_at", "reason", "replaced_by")),
        *(tracked_steps.c[name] for name in ("number", "code", "country", "at", "version", "reasons")),
    )
    .select_from(_together)
    .where(tracked_certificates.c.reference.in_(bindparam("references", expanding=True)))
    .order_by(tracked_certificates.c.reference, tracked_steps.c.number, tracked_steps.c.version)
)


async def certificates_by_references(work: Work, references: Collection[str]) -> dict[str, Tracked]:
    """The certificates of these references with their steps, in one statement. Unknown references are left out."""
    found: dict[str, Tracked] = {}
    for row in await work.session.execute(_of_references, {"references": list(references)}):
        reference, certificate_id, form, destination, issued_on, valid_until, version, *more = row
        cancelled_at, reason, replaced_by, number, *step = more
        if (tracked := found.get(reference)) is None:
            certificate = TrackedCertificate(reference, certificate_id, form, destination, issued_on, valid_until, version)
            cancelled = TrackedCancellation(reference, cancelled_at, reason, replaced_by, version) if cancelled_at else None
            tracked = found[reference] = Tracked(certificate, [], cancelled)
        if number is not None:
            code, country, at, version_of_step, reasons = step
            same = (reference, number, code, certificate_id, country, at, version_of_step, reasons)
            tracked.steps.append(TrackedStep(*same))
    return found


async def steps_of(work: Work, reference: str) -> list[TrackedStep]:
    """The steps of all transmissions of a certificate, in order."""
    steps = select(tracked_steps).where(tracked_steps.c.reference == reference)
    rows = await work.session.execute(steps.order_by(tracked_steps.c.number, tracked_steps.c.version))
    return [TrackedStep(**row._mapping) for row in rows]


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
