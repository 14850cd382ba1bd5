"""The tables of the ledger: exchanged messages, outages of partners, and the register of notices and prints."""

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text, Uuid

from services.gateway.metadata import TABLES
from shared.database.column_types import UtcDateTime

messages = Table(
    "messages",
    TABLES,
    Column("message_id", Uuid, primary_key=True),
    Column("partner", String(2), primary_key=True),
    Column("direction", String(8), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("reference", String(30), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("compressed", LargeBinary, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Index("ix_messages_newest", "at", "message_id", "partner", "direction"),
    Index("ix_messages_reference", "reference", "at", "message_id", "partner", "direction"),
    Index("ix_messages_partner", "partner", "at", "message_id", "direction"),
)
"""`direction`: `sent` or `received`. `compressed`: the XML as it was exchanged (zlib).

`certificate`: that of the signer (DER), as it was pinned then.
"""

partner_outages = Table(
    "partner_outages",
    TABLES,
    Column("country", String(2), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("ended_at", UtcDateTime),
    Column("version", Integer, nullable=False),
)

contingencies = Table(
    "contingencies",
    TABLES,
    Column("number", String(20), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("transmission", Integer, nullable=False),
    Column("certificate_id", Uuid, nullable=False),
    Column("reference", String(30), nullable=False),
    Column("destination", String(2), nullable=False),
    Column("out_since", UtcDateTime, nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("issued_by", Uuid),
    Column("token", Text, nullable=False),
    Column("public_key", String(200), nullable=False),
    Column("reconciled_at", UtcDateTime),
    Index("ix_contingencies_newest", "issued_at", "number"),
    Index("ix_contingencies_certificate", "certificate_id", "kind", "issued_at"),
)
_open = contingencies.c.reconciled_at.is_(None)
Index("ix_contingencies_open", contingencies.c.issued_at, contingencies.c.number, postgresql_where=_open, sqlite_where=_open)

contingency_numbers = Table(
    "contingency_numbers",
    TABLES,
    Column("kind", String(1), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)
