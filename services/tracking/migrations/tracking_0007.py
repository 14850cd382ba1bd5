"""The digests of documents as XML, for the public check.

Revision ID: tracking_0007
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "tracking_0007"
down_revision = "tracking_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tracked_data",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(30), nullable=False),
        sa.Column("key_id", sa.String(20), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_tracked_data_reference", "tracked_data", ["reference"])
