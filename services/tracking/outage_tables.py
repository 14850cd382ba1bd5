"""The tables of outages of partners, and of the notices that exporters got meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Integer, String, Table, Text, Uuid

from services.tracking.metadata import TABLES
from shared.database.column_types import UtcDateTime

tracked_outages = Table(
    "tracked_outages",
    TABLES,
    Column("country", String(2), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("version", Integer, nullable=False),
)

tracked_notices = Table(
    "tracked_notices",
    TABLES,
    Column("number", String(20), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("certificate_id", Uuid, nullable=False),
    Column("reference", String(30), nullable=False),
    Column("destination", String(2), nullable=False),
    Column("out_since", UtcDateTime, nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("token", Text, nullable=False),
    Column("public_key", String(200), nullable=False),
    Column("version", Integer, nullable=False),
)


@dataclass(eq=False)
class TrackedOutage:
    """The last outage of a partner. `since`: when its gateway stopped answering. `ended_at`: None while it is out."""

    country: str
    since: datetime
    ended_at: datetime | None
    version: int


@dataclass(eq=False)
class TrackedNotice:
    """A notice that an exporter got. `token`: its facts, signed; `public_key` verifies it."""

    number: str
    kind: str
    certificate_id: UUID
    reference: str
    destination: str
    out_since: datetime
    issued_at: datetime
    token: str
    public_key: str
    version: int
