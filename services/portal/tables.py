"""The tables of the portal: the sessions of browsers, forms that were not sent yet, and what has changed elsewhere."""

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, Text, UniqueConstraint, Uuid

from shared.database.column_types import UtcDateTime

TABLES = MetaData()

browsers = Table(
    "browsers",
    TABLES,
    Column("key_hash", String(64), primary_key=True),
    Column("user_id", Uuid, index=True),
    Column("person", Text),
    Column("sealed", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
    Column("refreshing_until", UtcDateTime),
    Column("ended", Boolean, nullable=False),
)

forms = Table(
    "forms",
    TABLES,
    Column("form_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("path", String(200), nullable=False),
    Column("fields", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("user_id", "path"),
)

changes = Table(
    "changes",
    TABLES,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("noun", String(20), nullable=False),
    Column("noun_id", Uuid, nullable=False),
    Column("office", String(5)),
    Column("at", UtcDateTime, nullable=False, index=True),
)
