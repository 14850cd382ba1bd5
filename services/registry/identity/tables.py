"""The tables of identity, and the objects that their rows are loaded as."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Uuid, false

from services.registry.identity.domain.passkey import Passkey
from services.registry.identity.domain.second_factor import SecondFactor
from services.registry.identity.domain.session import SessionRecord
from services.registry.identity.domain.user import Status, User
from services.registry.metadata import TABLES, mapping
from shared.database.column_types import EnumText, UtcDateTime

users = Table(
    "users",
    TABLES,
    Column("user_id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(254), nullable=False, unique=True),
    Column("password_hash", String(200)),
    Column("organisation", String(40), nullable=False, index=True),
    Column("roles", JSON, nullable=False),
    Column("status", EnumText(Status), nullable=False),
    Column("language", String(2)),
)

links = Table(
    "links",
    TABLES,
    Column("token_hash", String(64), primary_key=True),
    Column("purpose", String(20), nullable=False),
    Column("user_id", ForeignKey(users.c.user_id), nullable=False, index=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
    Column("sent_at", UtcDateTime),
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

passkeys = Table(
    "passkeys",
    TABLES,
    Column("passkey_id", Uuid, primary_key=True),
    Column("user_id", ForeignKey(users.c.user_id), nullable=False, index=True),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("transports", JSON, nullable=False),
    Column("last_used_at", UtcDateTime),
)

used_challenges = Table(
    "used_challenges",
    TABLES,
    Column("challenge_hash", String(64), primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
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
    Column("ended_at", UtcDateTime, index=True),
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

failed_attempts = Table(
    "wrong_tries",
    TABLES,
    Column("whose", String(70), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
    Column("not_before", UtcDateTime),
)

mapping.map_imperatively(User, users)
mapping.map_imperatively(SessionRecord, sessions)
mapping.map_imperatively(SecondFactor, second_factors)
mapping.map_imperatively(Passkey, passkeys)
