"""Seals of documents and the keys of the offices, for the public check.

Revision ID: tracking_0005
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "tracking_0005"
down_revision = "tracking_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tracked_seals",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(30), nullable=False),
        sa.Column("key_id", sa.String(20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("contingency_number", sa.String(40), nullable=True),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_tracked_seals_reference", "tracked_seals", ["reference"])
    op.create_table(
        "tracked_keys",
        sa.Column("key_id", sa.String(20), nullable=False),
        sa.Column("office", sa.String(10), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("withdrawn_since", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key_id"),
    )
