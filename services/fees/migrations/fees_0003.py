"""Payment references, the day and the instant of an assessment, names of exporters, and closed submissions.

Revision ID: fees_0003
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "fees_0003"
down_revision = "fees_0002"
branch_labels = None
depends_on = None
oldest_code = "fees_0001"  # the unique index is on a new column, which older code leaves empty


def upgrade() -> None:
    for column in (
        sa.Column("payment_reference", sa.String(length=10), nullable=True),
        sa.Column("assessed_on", sa.Date(), nullable=True),
        sa.Column("assessed_at", UtcDateTime(), server_default="2000-01-01T00:00:00.000000Z", nullable=False),
    ):
        op.add_column("invoices", column)
    op.create_index("ix_invoices_payment_reference", "invoices", ["payment_reference"], unique=True)
    op.create_index("ix_invoices_newest", "invoices", ["assessed_at", "certificate_id"])
    op.create_index("ix_invoices_newest_of_exporter", "invoices", ["exporter_id", "assessed_at", "certificate_id"])
    unpaid = sa.text("settled_submission != submission")
    op.create_index(
        "ix_invoices_newest_unpaid",
        "invoices",
        ["assessed_at", "certificate_id"],
        postgresql_where=unpaid,
        sqlite_where=unpaid,
    )
    op.create_table(
        "exporter_names",
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("exporter_id"),
    )
    op.create_table(
        "closings",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
