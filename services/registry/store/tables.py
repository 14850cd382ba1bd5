"""The tables of registry, and what is read from them as an object."""

from sqlalchemy import JSON, Column, Date, Integer, MetaData, String, Table, Text, Uuid
from sqlalchemy.orm import registry

from services.registry.domain.registration import Registration, Status
from services.registry.domain.user import User
from shared.columns import Words

TABLES = MetaData()

registrations = Table(
    "registrations",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("company_name", String(200), nullable=False),
    Column("address", Text, nullable=False),
    Column("tax_number", String(20), nullable=False, unique=True),
    Column("status", Words(Status), nullable=False),
    Column("documents", JSON, nullable=False),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
)

users = Table(
    "users",
    TABLES,
    Column("user_id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("organisation", String(40), nullable=False),
    Column("roles", JSON, nullable=False),
)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(Registration, registrations)
_mapping.map_imperatively(User, users)
