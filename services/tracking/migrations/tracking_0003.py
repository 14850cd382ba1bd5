"""Cancelled certificates.

Revision ID: tracking_0003
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "tracking_0003"
down_revision = "tracking_0002"
branch_labels = None
depends_on = None
oldest_code = "tracking_0001"  # a new table


def upgrade() -> None:
    op.create_table(
        "tracked_cancellations",
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("cancelled_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("replaced_by", sa.String(length=30), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reference"),
    )
