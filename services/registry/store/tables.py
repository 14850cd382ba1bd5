"""The tables of registry, and what is read from them as an object."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    false,
)
from sqlalchemy.orm import composite, registry

from services.registry.domain import mandate, user
from services.registry.domain.api_key import ApiKey
from services.registry.domain.mandate import Mandate
from services.registry.domain.particulars import Particulars, Representative
from services.registry.domain.registration import Asked, Registration, Status
from services.registry.domain.reminders import Outcome
from services.registry.domain.second_factor import SecondFactor
from services.registry.domain.session import SessionRecord
from services.registry.domain.user import User
from shared.database.column_types import EnumText, JsonOf, UtcDateTime

TABLES = MetaData()

registrations = Table(
    "registrations",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("company_name", String(200), nullable=False),
    Column("company_name_km", String(200)),
    Column("address", Text, nullable=False),
    Column("address_km", Text),
    Column("district", String(4)),
    Column("phone", String(30)),
    Column("contact_email", String(254)),
    Column("representative", JsonOf(Representative)),
    Column("tax_number", String(20), nullable=False),
    Column("status", EnumText(Status), nullable=False),
    Column("asked", EnumText(Asked), nullable=False, server_default=Asked.NOTHING),
    Column("documents", JSON, nullable=False),
    Column("wanted", JsonOf(Particulars)),
    Column("new_documents", JSON, nullable=False, server_default="{}"),
    Column("valid_from", Date),
    Column("valid_until", Date),
    Column("reason", Text),
    Column("renewal_remarks", Text),
    Column("version", Integer, nullable=False),
    Column("approved_version", Integer, nullable=False, server_default="0"),
    Column("standing_version", Integer, nullable=False, server_default="0"),
)
_not_refused = registrations.c.status != Status.REFUSED
Index(
    "uq_registrations_tax_number",
    registrations.c.tax_number,
    unique=True,
    postgresql_where=_not_refused,
    sqlite_where=_not_refused,
)

registration_acts = Table(
    "registration_acts",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("act", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("user_id", Uuid),
    Column("organisation", String(40)),
    Column("remarks", Text),
    Column("document", String(40)),
    Column("sha256", String(64)),
    Column("valid_from", Date),
    Column("valid_until", Date),
)

reminders = Table(
    "reminders",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("valid_until", Date, primary_key=True),
    Column("days_before", Integer, primary_key=True),
    Column("outcome", EnumText(Outcome), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
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
    Column("status", EnumText(user.Status), nullable=False),
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

mandates = Table(
    "mandates",
    TABLES,
    Column("mandate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False, index=True),
    Column("agent_id", Uuid, nullable=False, index=True),
    Column("scope", JSON, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("proposed_by", EnumText(mandate.Side), nullable=False),
    Column("status", EnumText(mandate.Status), nullable=False),
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

_mapping = registry(metadata=TABLES)
_said_of_itself = [
    registrations.c[name]
    for name in (
        "company_name",
        "company_name_km",
        "address",
        "address_km",
        "district",
        "phone",
        "contact_email",
        "representative",
    )
]
_mapping.map_imperatively(Registration, registrations, properties={"particulars": composite(Particulars, *_said_of_itself)})
_mapping.map_imperatively(User, users)
_mapping.map_imperatively(SessionRecord, sessions)
_mapping.map_imperatively(SecondFactor, second_factors)
_mapping.map_imperatively(Mandate, mandates)
_mapping.map_imperatively(ApiKey, api_keys)
