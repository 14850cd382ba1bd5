"""The status of certificates, the last code of transmissions, and the states of partners.

Revision ID: tracking_0002
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "tracking_0002"
down_revision = "tracking_0001"
branch_labels = None
depends_on = None
oldest_code = "tracking_0001"  # the statements fill new columns and new tables only

FILL = """
INSERT INTO tracked_transmissions (reference, number, destination, code, version)
SELECT s.reference, s.number, c.destination, s.code, s.version FROM tracked_steps s
JOIN tracked_certificates c ON c.reference = s.reference
WHERE NOT EXISTS (
  SELECT 1 FROM tracked_steps later
  WHERE later.reference = s.reference AND later.number = s.number AND later.version > s.version)
ON CONFLICT DO NOTHING
"""
"""The destination of a transmission without its certificate is not known; its next step stores it."""


def upgrade() -> None:
    op.create_index("ix_tracked_steps_code", "tracked_steps", ["code", "at"])
    op.create_table(
        "tracked_transmissions",
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("destination", sa.String(length=2), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reference", "number"),
    )
    op.execute(FILL)
    op.create_index("ix_tracked_transmissions_code", "tracked_transmissions", ["code", "destination"])
    op.create_table(
        "tracked_progress",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_index("ix_tracked_progress_status", "tracked_progress", ["status"])
    op.create_table(
        "reached_statuses",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("office", sa.String(length=10), nullable=False),
        sa.Column("destination", sa.String(length=10), nullable=False),
        sa.Column("submission", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "status"),
    )
    op.create_index("ix_reached_statuses_status", "reached_statuses", ["status", "at"])
    op.create_table(
        "tracked_partners",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("country"),
    )
