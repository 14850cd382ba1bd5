"""Recovery: the recoveries of a restored database, and the keys that only other services know.

Revision ID: plumbing_0002
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import ROW_ID, UtcDateTime

revision = "plumbing_0002"
down_revision = "plumbing_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recoveries",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("copy_taken_at", UtcDateTime(), nullable=True),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("read_back_at", UtcDateTime(), nullable=True),
        sa.Column("read_back", sa.Integer(), server_default="0", nullable=False),
        sa.Column("compared_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lost_keys",
        sa.Column("fact", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("recovery_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fact", "key"),
    )
