"""The tables of the register of certified exporters."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text, Uuid

from services.certificates.domain.certified import CertifiedAct, CertifiedProduct, CertifiedStatus, Period, Signatory
from services.certificates.metadata import TABLES
from shared.database.column_types import EnumText, JsonOf, UtcDateTime

certified_exporters = Table(
    "certified_exporters",
    TABLES,
    Column("code", String(20), primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("status", EnumText(CertifiedStatus), nullable=False),
    Column("signatories", JsonOf(list[Signatory]), nullable=False),
    Column("products", JsonOf(list[CertifiedProduct]), nullable=False),
    Column("suspensions", JsonOf(list[Period]), nullable=False),
    Column("withdrawn_on", Date),
    Column("by_registration", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Index("ix_certified_exporters_exporter", "exporter_id", "code"),
    Index("ix_certified_exporters_status", "status", "code"),
)

certified_exporter_acts = Table(
    "certified_exporter_acts",
    TABLES,
    Column("code", String(20), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("act", EnumText(CertifiedAct), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("user_id", Uuid),
)

certified_exporter_numbers = Table(
    "certified_exporter_numbers",
    TABLES,
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)
