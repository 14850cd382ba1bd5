"""Outages of partners, notices, and since when each certificate waits.

Revision ID: tracking_0004
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "tracking_0004"
down_revision = "tracking_0003"
branch_labels = None
depends_on = None
oldest_code = "tracking_0001"  # new tables, a new column that the statement fills, and indexes

FILL = """
UPDATE tracked_transmissions SET at = (
  SELECT s.at FROM tracked_steps s
  WHERE s.reference = tracked_transmissions.reference AND s.number = tracked_transmissions.number AND s.code = 'AS1')
WHERE code = 'AS1'
"""
WAITING, RECEIVED = sa.text("code = 'AS1'"), sa.text("code = 'REC'")


def upgrade() -> None:
    op.add_column("tracked_transmissions", sa.Column("at", UtcDateTime(), nullable=True))
    op.execute(FILL)
    op.create_index(
        "ix_tracked_transmissions_waiting",
        "tracked_transmissions",
        ["destination", "at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "ix_tracked_steps_received", "tracked_steps", ["country", "at"], sqlite_where=RECEIVED, postgresql_where=RECEIVED
    )
    op.create_table(
        "tracked_outages",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("country"),
    )
    op.create_table(
        "tracked_notices",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("destination", sa.String(length=2), nullable=False),
        sa.Column("out_since", UtcDateTime(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("public_key", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
