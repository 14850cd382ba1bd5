"""Indexes for what is deleted by age, and for the questions of an operator about the audit log.

Revision ID: plumbing_0008
"""

from alembic import op

revision = "plumbing_0008"
down_revision = "plumbing_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_recorded_at", "outbox", ["recorded_at"], if_not_exists=True)
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"], if_not_exists=True)
    op.create_index("ix_trail_actor", "trail", ["actor", "id"], if_not_exists=True)
    op.create_index("ix_trail_at", "trail", ["at"], if_not_exists=True)
