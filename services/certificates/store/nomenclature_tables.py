"""The tables of the nomenclature: editions and their lines."""

from sqlalchemy import Boolean, Column, Date, Integer, String, Table, Text, Uuid

from services.certificates.metadata import TABLES
from shared.database.column_types import UtcDateTime

nomenclature_editions = Table(
    "nomenclature_editions",
    TABLES,
    Column("edition_id", Uuid, primary_key=True),
    Column("name", String(60), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("loaded_at", UtcDateTime, nullable=False),
)
"""`complete`: all lines are here, and they do not change any more. `loaded_at`: when that became so, or when it began."""

nomenclature_lines = Table(
    "nomenclature_lines",
    TABLES,
    Column("edition_id", Uuid, primary_key=True),
    Column("code", String(11), primary_key=True),
    Column("description", Text, nullable=False),
)
