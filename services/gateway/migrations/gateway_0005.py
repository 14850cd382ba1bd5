"""Decisions of customs on the preference, and the messages about documents that were exchanged before.

Revision ID: gateway_0005
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import ROW_ID, UtcDateTime

revision = "gateway_0005"
down_revision = "gateway_0004"
branch_labels = None
depends_on = None
oldest_code = "gateway_0001"  # a new table, and a new column with a default


def upgrade() -> None:
    op.add_column("transmissions", sa.Column("held_because", sa.String(length=200), nullable=True))
    op.add_column("inbound_documents", sa.Column("responses", sa.JSON(), server_default="[]", nullable=False))
    op.create_table(
        "outgoing",
        sa.Column("position", ROW_ID, nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("receiver", sa.String(length=2), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("reasons", sa.JSON(), server_default="[]", nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("message_id"),
    )
    op.create_index("ix_outgoing_of_document", "outgoing", ["receiver", "reference", "position"])
