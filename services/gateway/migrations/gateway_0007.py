"""Cancelled certificates: our own, and those of partners.

Revision ID: gateway_0007
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "gateway_0007"
down_revision = "gateway_0006"
branch_labels = None
depends_on = None
oldest_code = "gateway_0001"  # new tables


def upgrade() -> None:
    op.create_table(
        "cancellations",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("cancelled_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_table(
        "inbound_cancellations",
        sa.Column("sender", sa.String(length=2), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("cancelled_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("replaced_by", sa.String(length=30), nullable=True),
        sa.Column("customs_informed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("sender", "reference"),
    )
