"""Mandates of agents, with API keys.

Revision ID: registry_0004
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "registry_0004"
down_revision = "registry_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mandates",
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("proposed_by", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("granted_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mandate_id"),
    )
    op.create_index("ix_mandates_exporter_id", "mandates", ["exporter_id"])
    op.create_index("ix_mandates_agent_id", "mandates", ["agent_id"])
    op.create_table(
        "api_keys",
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("end", sa.String(length=8), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["mandate_id"], ["mandates.mandate_id"]),
        sa.PrimaryKeyConstraint("api_key_id"),
        sa.UniqueConstraint("key_hash"),
    )
    op.create_index("ix_api_keys_mandate_id", "api_keys", ["mandate_id"])
