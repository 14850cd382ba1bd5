"""An index for the deletion of sessions that were ended.

Revision ID: registry_0008
"""

from alembic import op

revision = "registry_0008"
down_revision = "registry_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sessions_ended_at", "sessions", ["ended_at"])
