"""The tables of origin rules: the loaded sets, and the parts of a file that is being loaded."""

from sqlalchemy import Column, Date, Integer, String, Table, Text, UniqueConstraint, Uuid

from services.certificates.metadata import TABLES
from shared.database.column_types import UtcDateTime

origin_rule_sets = Table(
    "origin_rule_sets",
    TABLES,
    Column("rule_set_id", Uuid, primary_key=True),
    Column("form", String(12), nullable=False),
    Column("version", String(40), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("content", Text, nullable=False),
    Column("loaded_at", UtcDateTime, nullable=False),
    UniqueConstraint("form", "version", name="uq_origin_rule_sets_version"),
)
"""Loaded rules. They do not change. `content`: the file."""

origin_rule_parts = Table(
    "origin_rule_parts",
    TABLES,
    Column("rule_set_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
"""Parts of files whose last part has not come yet."""
