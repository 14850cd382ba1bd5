"""The audit log, and the seals that show any later change of it.

Revision ID: plumbing_0005
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import ROW_ID, UtcDateTime

revision = "plumbing_0005"
down_revision = "plumbing_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trail",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("session", sa.Uuid(), nullable=True),
        sa.Column("organisation", sa.String(length=80), nullable=True),
        sa.Column("roles", sa.String(length=400), nullable=True),
        sa.Column("act", sa.String(length=80), nullable=False),
        sa.Column("on_noun", sa.String(length=40), nullable=True),
        sa.Column("on_id", sa.String(length=40), nullable=True),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("from_where", sa.String(length=45), nullable=True),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_trail_on_id", "trail", ["on_id"])
    op.create_index("ix_trail_seal", "trail", ["seal", "id"])
    op.create_table(
        "trail_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("former", sa.String(length=64), nullable=False),
        sa.Column("acts", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
