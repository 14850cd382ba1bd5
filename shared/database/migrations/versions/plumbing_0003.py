"""Tasks store whether they were scheduled for a later instant. All others are due at once, whatever the clock is.

Revision ID: plumbing_0003
"""

import sqlalchemy as sa
from alembic import op

revision = "plumbing_0003"
down_revision = "plumbing_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("scheduled", sa.Boolean(), server_default=sa.false(), nullable=False))
