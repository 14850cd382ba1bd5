"""The tables of certificates: products, certificates and all about them, numbers, and facts that other services announced."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    FetchedValue,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.orm import registry

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.consignment import BoxRemark, Consignment
from services.certificates.domain.exporter import Standing
from services.certificates.domain.form import Criterion
from services.certificates.domain.life_cycle import Status
from services.certificates.domain.message import Side
from services.certificates.domain.product import Product, ProductStatus
from services.certificates.domain.true_copy import TrueCopy, TrueCopyStatus
from services.certificates.metadata import TABLES
from services.certificates.store import certified_tables as certified_tables
from services.certificates.store import nomenclature_tables as nomenclature_tables
from services.certificates.store import origin_tables as origin_tables
from shared.contracts.certificates.content import CertificateActKind
from shared.database.column_types import EnumText, JsonOf, UtcDateTime

exporters = Table(
    "exporters",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("address", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False, server_default=""),
)

standings = Table(
    "standings",
    TABLES,
    Column("exporter_id", Uuid, primary_key=True),
    Column("standing", EnumText(Standing), nullable=False),
    Column("version", Integer, nullable=False),
)

mandates = Table(
    "mandates",
    TABLES,
    Column("mandate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("agent_id", Uuid, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("version", Integer, nullable=False),
)

products = Table(
    "products",
    TABLES,
    Column("product_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("hs_code", String(11), nullable=False),
    Column("criterion", JsonOf(Criterion), nullable=False),
    Column("handicraft", Boolean, nullable=False),
    Column("status", EnumText(ProductStatus), nullable=False),
    Column("decided_by", Uuid),
    Column("reason", Text),
    Column("version", Integer, nullable=False),
    Column("search", Text, nullable=False, server_default=""),
    Column("listed_as", String(40), nullable=False, server_default=""),
    Column("costs_version", Integer),
    Column("approved_costs_version", Integer),
    Column("claim_met", Boolean),
    Column("valid_until", Date),
    Index("ix_products_listed", "listed_as", "product_id"),
    Index("ix_products_exporter_listed", "exporter_id", "listed_as", "product_id"),
    Index("ix_products_status_listed", "status", "listed_as", "product_id"),
    Index("ix_products_hs_code", "hs_code"),
)

product_costs = Table(
    "product_costs",
    TABLES,
    Column("product_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("costs", Text, nullable=False),
    Column("assessment", Text, nullable=False),
    Column("claim_met", Boolean, nullable=False),
    Column("rules", String(60), nullable=False, server_default=""),
    Column("box_13", JSON, nullable=False, server_default="[]"),
    Column("stated_at", UtcDateTime, nullable=False),
    Column("stated_by", Uuid),
)

former_certificates = Table(
    "former_certificates",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("reference", String(60), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("search", Text, nullable=False),
    Column("content", Text, nullable=False),
    Index("ix_former_certificates_exporter", "exporter_id", "issued_on", "certificate_id"),
)

certificates = Table(
    "certificates",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("agent_id", Uuid),
    Column("form", String(8), nullable=False),
    Column("office", String(5), nullable=False),
    Column("consignment", JsonOf(Consignment), nullable=False),
    Column("status", EnumText(Status), nullable=False),
    Column("submission", Integer, nullable=False),
    Column("submitted_on", Date),
    Column("remarks", Text),
    Column("worksheet", Text),
    Column("reviewed_by", Uuid),
    Column("approved_by", Uuid),
    Column("held_because", String(64)),
    Column("reference", String(32), unique=True),
    Column("issued_on", Date),
    Column("valid_until", Date),
    Column("issued_retroactively", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("box_remarks", JsonOf(list[BoxRemark])),
    Column("reasons", JsonOf(list[str])),
    Column("drafted_at", UtcDateTime, nullable=False, server_default=FetchedValue()),
    Column("status_since", UtcDateTime, nullable=False, server_default=FetchedValue()),
    Column("last_message_by", EnumText(Side)),
    Column("destination", String(2), nullable=False, server_default=""),
    Column("consignee", String(200), nullable=False, server_default=""),
    Column("consignee_address", Text, nullable=False, server_default=""),
    Column("port_of_discharge", String(200), nullable=False, server_default=""),
    Column("departure_date", Date),
    Column("item_count", Integer, nullable=False, server_default="0"),
    Column("search", Text, nullable=False, server_default=""),
    Column("replaces_id", Uuid),
    Column("replaces", String(32)),
    Column("replaced_by_id", Uuid),
    Column("replaced_by", String(32)),
    Column("cancelled_on", Date),
    Column("cancelled_because", String(64)),
    Index("ix_certificates_drafted", "drafted_at", "certificate_id"),
    Index("ix_certificates_status_drafted", "status", "drafted_at", "certificate_id"),
    Index("ix_certificates_status_since", "status", "status_since", "certificate_id"),
    Index("ix_certificates_exporter_drafted", "exporter_id", "drafted_at", "certificate_id"),
    Index("ix_certificates_exporter_status_drafted", "exporter_id", "status", "drafted_at", "certificate_id"),
    Index("ix_certificates_exporter_status", "exporter_id", "status", "status_since", "certificate_id"),
    Index("ix_certificates_exporter_search", "exporter_id", "search", "certificate_id"),
    Index("ix_certificates_office_drafted", "office", "drafted_at", "certificate_id"),
    Index("ix_certificates_office_status_drafted", "office", "status", "drafted_at", "certificate_id"),
    Index("ix_certificates_office_status", "office", "status", "status_since", "certificate_id"),
    Index("ix_certificates_destination_status_drafted", "destination", "status", "drafted_at", "certificate_id"),
    Index("ix_certificates_search", "search", "certificate_id"),
)
_c = certificates.c
_of_an_agent = _c.agent_id.is_not(None)
Index(
    "ix_certificates_agent",
    *(_c.agent_id, _c.exporter_id, _c.status, _c.drafted_at, _c.certificate_id),
    postgresql_where=_of_an_agent,
    sqlite_where=_of_an_agent,
)

_replacing = _c.replaces_id.is_not(None)
Index("ix_certificates_replaces", _c.replaces_id, postgresql_where=_replacing, sqlite_where=_replacing)

_numbered = _c.reference.is_not(None)
Index(
    "ix_certificates_exporter_reference",
    *(_c.exporter_id, _c.reference),
    postgresql_where=_numbered,
    sqlite_where=_numbered,
)

consignee_names = Table("consignee_names", TABLES, Column("search", Text, primary_key=True))
"""The names of all consignees in lower case. There are far fewer than certificates, so a search looks here."""

documents = Table(
    "documents",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("exporter_id", Uuid, nullable=False),
    Column("form", String(8), nullable=False),
    Column("reference", String(32), nullable=False, unique=True),
    Column("body", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("agent_id", Uuid),
    Column("sealed", Boolean, nullable=False, server_default=false()),
    Column("channel", String(8), server_default="ASW"),
)
_unsealed = ~documents.c.sealed
Index("ix_documents_unsealed", documents.c.certificate_id, postgresql_where=_unsealed, sqlite_where=_unsealed)

sealed_documents = Table(
    "sealed_documents",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("key_id", String(20), nullable=False),
    Column("code", String(20), nullable=False),
    Column("summary", Text, nullable=False),
    Column("locked_summary", Text, nullable=False),
    Column("credential", Text, nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
    Column("proof", Text),
)

previews = Table(
    "previews",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("sha256", String(64), nullable=False),
)

contingency_copies = Table(
    "contingency_copies",
    TABLES,
    Column("office", String(5), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("serial", Integer, primary_key=True),
    Column("certificate_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("printed_on", Date, nullable=False),
    Column("printed_at", UtcDateTime, nullable=False),
    Column("printed_by", Uuid),
    Column("sha256", String(64)),
    Column("key_id", String(20)),
    Column("locked_summary", Text),
    Index("ix_contingency_copies_certificate", "certificate_id", "printed_at"),
)

contingency_numbers = Table(
    "contingency_numbers",
    TABLES,
    Column("office", String(5), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

document_keys = Table(
    "document_keys",
    TABLES,
    Column("key_id", String(20), primary_key=True),
    Column("office", String(5), nullable=False),
    Column("certificate", Text, nullable=False),
    Column("withdrawn_since", UtcDateTime),
)
"""The certificates of all keys that ever sealed here."""

numbers = Table(
    "numbers",
    TABLES,
    Column("office", String(5), primary_key=True),
    Column("form", String(8), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
)

settlements = Table(
    "settlements",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("submission", Integer, primary_key=True),
)

certificate_acts = Table(
    "certificate_acts",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("act", EnumText(CertificateActKind), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("user_id", Uuid),
    Column("organisation", String(64)),
    Column("remarks", Text),
)

certificate_messages = Table(
    "certificate_messages",
    TABLES,
    Column("message_id", Uuid, primary_key=True),
    Column("certificate_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("side", EnumText(Side), nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("certificate_id", "number"),
)

assignments = Table(
    "assignments",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("officer", Uuid, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Index("ix_assignments_officer", "officer", "until"),
)

attachments = Table(
    "attachments",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("name", String(200), nullable=False),
    Column("size", Integer, nullable=False),
    Column("attached_at", UtcDateTime, nullable=False),
    Column("attached_by", Uuid),
)

status_times = Table(
    "status_times",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("office", String(5), nullable=False),
    Column("destination", String(2), nullable=False),
    Column("status", EnumText(Status), nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("ended_at", UtcDateTime, nullable=False),
    Index("ix_status_times_status", "status", "ended_at"),
    Index("ix_status_times_office_status", "office", "status", "ended_at"),
)
"""How long a certificate was in the status that its version has ended."""

true_copies = Table(
    "true_copies",
    TABLES,
    Column("request_id", Uuid, primary_key=True),
    Column("certificate_id", Uuid, nullable=False),
    Column("office", String(5), nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("requested_by", Uuid),
    Column("status", EnumText(TrueCopyStatus), nullable=False),
    Column("decided_on", Date),
    Column("decided_by", Uuid),
    Column("remark", Text),
    Column("sha256", String(64)),
    Column("key_id", String(20)),
    Column("locked_summary", Text),
    Index("ix_true_copies_certificate", "certificate_id", "requested_at"),
    Index("ix_true_copies_status", "status", "requested_at"),
    Index("ix_true_copies_office_status", "office", "status", "requested_at"),
)

originals = Table(
    "originals",
    TABLES,
    Column("original_id", Uuid, primary_key=True),
    Column("country", String(2), nullable=False),
    Column("reference", String(60), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("consignee", String(200), nullable=False),
    Column("usable", Boolean, nullable=False),
    Column("on_paper", Boolean, nullable=False),
    Column("based_on", JsonOf(list[str]), nullable=False),
    Column("version", Integer, nullable=False),
)

original_lines = Table(
    "original_lines",
    TABLES,
    Column("original_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("hs_code", String(20), nullable=False),
    Column("description", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("taken", BigInteger, CheckConstraint("taken >= 0", name="ck_original_lines_taken"), nullable=False),
    Column("denied", Boolean, nullable=False),
)
"""Quantities in millionths."""

original_uses = Table(
    "original_uses",
    TABLES,
    Column("certificate_id", Uuid, primary_key=True),
    Column("item", Integer, primary_key=True),
    Column("original_id", Uuid, nullable=False),
    Column("line", Integer, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("borrowed", BigInteger, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("final", Boolean, nullable=False),
    Index("ix_original_uses_original", "original_id", "line", "certificate_id", "item"),
)

_mapping = registry(metadata=TABLES)
_mapping.map_imperatively(Product, products)
_mapping.map_imperatively(Certificate, certificates)
_mapping.map_imperatively(TrueCopy, true_copies)
