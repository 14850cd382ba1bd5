"""The revisions whose code can run on this schema, so that replicas of an older release work during an update.

Revision ID: plumbing_0004
"""

import sqlalchemy as sa
from alembic import op

revision = "plumbing_0004"
down_revision = "plumbing_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "runnable_revisions",
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("revision"),
    )
