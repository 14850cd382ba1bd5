"""Lists, acts, messages and assignments of certificates. Existing rows get what lists show and search.

Nobody recorded when an existing certificate got its status. It gets the day of its issue or submission, or this instant.

Revision ID: certificates_0006
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from unicodedata import normalize

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "certificates_0006"
down_revision = "certificates_0005"
branch_labels = None
depends_on = None
oldest_code = "certificates_0001"  # the statements fill new columns and new tables only

PAGE = 500

Row = dict[str, Any]


def upgrade() -> None:
    now = datetime.now(UTC)
    this_instant = sa.text(f"'{now.replace(tzinfo=None).isoformat(timespec='microseconds')}Z'")
    for column in (
        sa.Column("box_remarks", sa.Text(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=True),
        sa.Column("drafted_at", UtcDateTime(), server_default=this_instant, nullable=False),
        sa.Column("status_since", UtcDateTime(), server_default=this_instant, nullable=False),
        sa.Column("last_message_by", sa.String(length=40), nullable=True),
        sa.Column("destination", sa.String(length=2), server_default="", nullable=False),
        sa.Column("consignee", sa.String(length=200), server_default="", nullable=False),
        sa.Column("consignee_address", sa.Text(), server_default="", nullable=False),
        sa.Column("port_of_discharge", sa.String(length=200), server_default="", nullable=False),
        sa.Column("departure_date", sa.Date(), nullable=True),
        sa.Column("item_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("search", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("certificates", column)
    op.add_column("exporters", sa.Column("search", sa.Text(), server_default="", nullable=False))
    op.add_column("products", sa.Column("search", sa.Text(), server_default="", nullable=False))
    op.add_column("products", sa.Column("listed_as", sa.String(length=40), server_default="", nullable=False))
    fill("certificates", "certificate_id", ("consignment", "submitted_on", "issued_on"), certificate_columns)
    fill("exporters", "exporter_id", ("name",), lambda row: {"search": row["name"].lower()})
    fill("products", "product_id", ("description",), product_columns)
    for name, table, columns in (
        ("ix_certificates_drafted", "certificates", ["drafted_at", "certificate_id"]),
        ("ix_certificates_since", "certificates", ["status_since", "certificate_id"]),
        ("ix_certificates_status_since", "certificates", ["status", "status_since", "certificate_id"]),
        ("ix_certificates_exporter_drafted", "certificates", ["exporter_id", "drafted_at", "certificate_id"]),
        ("ix_certificates_exporter_status", "certificates", ["exporter_id", "status", "status_since", "certificate_id"]),
        ("ix_certificates_office_drafted", "certificates", ["office", "drafted_at", "certificate_id"]),
        ("ix_certificates_office_since", "certificates", ["office", "status_since", "certificate_id"]),
        ("ix_certificates_office_status", "certificates", ["office", "status", "status_since", "certificate_id"]),
        ("ix_certificates_destination_drafted", "certificates", ["destination", "drafted_at", "certificate_id"]),
        ("ix_certificates_search", "certificates", ["search", "certificate_id"]),
        ("ix_products_listed", "products", ["listed_as", "product_id"]),
        ("ix_products_exporter_listed", "products", ["exporter_id", "listed_as", "product_id"]),
        ("ix_products_status_listed", "products", ["status", "listed_as", "product_id"]),
        ("ix_products_hs_code", "products", ["hs_code"]),
    ):
        op.create_index(name, table, columns)
    op.create_table(
        "certificate_acts",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("organisation", sa.String(length=64), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("certificate_id", "version"),
    )
    op.create_table(
        "certificate_messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
        sa.UniqueConstraint("certificate_id", "number"),
    )
    op.create_table(
        "assignments",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("officer", sa.Uuid(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_index("ix_assignments_officer", "assignments", ["officer", "until"])


TYPES: dict[str, Any] = {
    "certificate_id": sa.Uuid(),
    "exporter_id": sa.Uuid(),
    "product_id": sa.Uuid(),
    "submitted_on": sa.Date(),
    "issued_on": sa.Date(),
    "departure_date": sa.Date(),
    "drafted_at": UtcDateTime(),
    "status_since": UtcDateTime(),
    "item_count": sa.Integer(),
}


def certificate_columns(row: Row) -> Row:
    """What lists show of a certificate."""
    consignment = json.loads(row["consignment"])
    columns: Row = {
        "destination": consignment["destination"],
        "consignee": consignment["consignee_name"],
        "consignee_address": consignment["consignee_address"],
        "port_of_discharge": consignment["port_of_discharge"],
        "departure_date": date.fromisoformat(consignment["departure_date"]),
        "item_count": len(consignment["items"]),
        "search": consignment["consignee_name"].lower(),
    }
    if row["submitted_on"]:
        columns["drafted_at"] = datetime.combine(row["submitted_on"], time(), UTC)
        columns["status_since"] = datetime.combine(row["issued_on"] or row["submitted_on"], time(), UTC)
    return columns


def product_columns(row: Row) -> Row:
    """What lists search and sort products by."""
    text = row["description"].lower()
    return {"search": text, "listed_as": "".join(c for c in normalize("NFKD", text) if " " <= c <= "~")[:40]}


def fill(table: str, key: str, columns: Sequence[str], filled: Callable[[Row], Row]) -> None:
    """Fills the new columns of a table, page by page: rows with the same new columns in one statement."""
    bind = op.get_bind()
    for rows in pages(bind, table, key, columns):
        together: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            values = filled(row)
            together.setdefault(tuple(values), []).append({"the_key": row[key], **{f"new_{n}": v for n, v in values.items()}})
        for names, values_of_rows in together.items():
            target = sa.table(table, *(sa.column(name, TYPES.get(name, sa.Text())) for name in (key, *names)))
            new: Row = {name: sa.bindparam(f"new_{name}") for name in names}
            bind.execute(sa.update(target).where(target.c[key] == sa.bindparam("the_key")).values(new), values_of_rows)


def pages(bind: sa.Connection, table: str, key: str, columns: Sequence[str]) -> Iterator[Sequence[Row]]:
    """The rows of a table, page by page."""
    source = sa.table(table, *(sa.column(name, TYPES.get(name, sa.Text())) for name in (key, *columns)))
    after = None
    while True:
        wanted = sa.select(source).order_by(source.c[key]).limit(PAGE)
        rows = bind.execute(wanted if after is None else wanted.where(source.c[key] > after)).mappings().all()
        if not rows:
            return
        yield [dict(row) for row in rows]
        after = rows[-1][key]
