"""The tables of fees.

Revision ID: fees_0001
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "fees_0001"
down_revision = None
branch_labels = ("fees",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoices",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("paid_khr", sa.BigInteger(), nullable=False),
        sa.Column("settled_submission", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_index("ix_invoices_exporter_id", "invoices", ["exporter_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("slip_number", sa.String(length=40), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("amount_khr", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("cashier_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("slip_number"),
    )
    op.create_index("ix_payments_certificate_id", "payments", ["certificate_id"], unique=False)
