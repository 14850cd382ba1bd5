"""Revoked mandates, whose tokens are refused.

Revision ID: plumbing_0007
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "plumbing_0007"
down_revision = "plumbing_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "revoked_mandates",
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("mandate_id"),
    )
    op.create_index("ix_revoked_mandates_until", "revoked_mandates", ["until"], unique=False)
