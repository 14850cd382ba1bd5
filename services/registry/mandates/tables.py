"""The tables of mandates, and the objects that their rows are loaded as."""

from sqlalchemy import JSON, Column, Date, ForeignKey, Integer, String, Table, Text, Uuid

from services.registry.mandates.domain.api_key import ApiKey
from services.registry.mandates.domain.mandate import Mandate, Side, Status
from services.registry.metadata import TABLES, mapping
from shared.database.column_types import EnumText, UtcDateTime

mandates = Table(
    "mandates",
    TABLES,
    Column("mandate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False, index=True),
    Column("agent_id", Uuid, nullable=False, index=True),
    Column("scope", JSON, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("proposed_by", EnumText(Side), nullable=False),
    Column("status", EnumText(Status), nullable=False),
    Column("reason", Text),
    Column("granted_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("version", Integer, nullable=False),
)

api_keys = Table(
    "api_keys",
    TABLES,
    Column("api_key_id", Uuid, primary_key=True),
    Column("mandate_id", ForeignKey(mandates.c.mandate_id), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("end", String(8), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Uuid, nullable=False),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

mapping.map_imperatively(Mandate, mandates)
mapping.map_imperatively(ApiKey, api_keys)
