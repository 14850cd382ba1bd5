"""The tables of companies, and the objects that their rows are loaded as."""

from dataclasses import fields

from sqlalchemy import JSON, Column, Date, Index, Integer, String, Table, Text, Uuid, func
from sqlalchemy.orm import composite

from services.registry.companies.domain.life_cycle import Asked, Status
from services.registry.companies.domain.particulars import Particulars, Representative
from services.registry.companies.domain.registration import Registration
from services.registry.companies.domain.reminders import Outcome
from services.registry.metadata import TABLES, mapping
from shared.database.column_types import EnumText, JsonOf, UtcDateTime

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
    Column("asked", EnumText(Asked), nullable=False, server_default=Asked.NOTHING, index=True),
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
    Column("waiting_since", UtcDateTime),
)
_not_refused = registrations.c.status != Status.REFUSED
Index(
    "uq_registrations_tax_number",
    registrations.c.tax_number,
    unique=True,
    postgresql_where=_not_refused,
    sqlite_where=_not_refused,
)
by_name = func.lower(registrations.c.company_name, type_=String), registrations.c.exporter_id
"""The columns of the order by name."""
Index("ix_registrations_name", *by_name)
Index("ix_registrations_status_name", registrations.c.status, *by_name)

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

_particulars = composite(Particulars, *(registrations.c[field.name] for field in fields(Particulars)))
mapping.map_imperatively(Registration, registrations, properties={"particulars": _particulars})
