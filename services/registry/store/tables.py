"""The tables of registry, and what is read from them as an object."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    false,
)
from sqlalchemy.orm import registry

from services.registry.domain import user
from services.registry.domain.registration import Registration, Status
from services.registry.domain.second_factor import SecondFactor
from services.registry.domain.session import SessionRecord
from services.registry.domain.user import User
from shared.columns import UtcDateTime, Words

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
    Column("password_hash", String(200)),
    Column("organisation", String(40), nullable=False, index=True),
    Column("roles", JSON, nullable=False),
    Column("status", Words(user.Status), nullable=False),
)

links = Table(
    "links",
    TABLES,
    Column("token_hash", String(64), primary_key=True),
    Column("purpose", String(20), nullable=False),
    Column("user_id", ForeignKey(users.c.user_id), nullable=False, index=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
)

second_factors = Table(
    "second_factors",
    TABLES,
    Column("user_id", ForeignKey(users.c.user_id), primary_key=True),
    Column("sealed", LargeBinary),
    Column("offered", LargeBinary),
    Column("last_step", Integer, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    TABLES,
    Column("user_id", ForeignKey(users.c.user_id), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)

sessions = Table(
    "sessions",
    TABLES,
    Column("session_id", Uuid, primary_key=True),
    Column("user_id", ForeignKey(users.c.user_id), nullable=False, index=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("refreshed_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
    Column("address", String(45)),
    Column("ended_at", UtcDateTime),
)

refresh_tokens = Table(
    "refresh_tokens",
    TABLES,
    Column("token_hash", String(64), primary_key=True),
    Column("session_id", ForeignKey(sessions.c.session_id), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("used_at", UtcDateTime),
    Column("void", Boolean, nullable=False, server_default=false()),
)

wrong_tries = Table(
    "wrong_tries",
    TABLES,
    Column("whose", String(70), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
    Column("not_before", UtcDateTime),
)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(Registration, registrations)
_mapping.map_imperatively(User, users)
_mapping.map_imperatively(SessionRecord, sessions)
_mapping.map_imperatively(SecondFactor, second_factors)
