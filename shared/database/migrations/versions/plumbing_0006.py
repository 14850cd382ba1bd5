"""Step-up tokens that were used.

Revision ID: plumbing_0006
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "plumbing_0006"
down_revision = "plumbing_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "used_step_ups",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("token_id", "digest"),
    )
    op.create_index("ix_used_step_ups_until", "used_step_ups", ["until"], unique=False)
