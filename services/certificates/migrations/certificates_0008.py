"""Cancelled certificates, and certificates that replace others.

Revision ID: certificates_0008
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0008"
down_revision = "certificates_0007"
branch_labels = None
depends_on = None
oldest_code = "certificates_0001"  # new columns, which may be empty

REPLACING = sa.text("replaces_id IS NOT NULL")


def upgrade() -> None:
    for column in (
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("replaces", sa.String(length=32), nullable=True),
        sa.Column("replaced_by_id", sa.Uuid(), nullable=True),
        sa.Column("replaced_by", sa.String(length=32), nullable=True),
        sa.Column("cancelled_on", sa.Date(), nullable=True),
        sa.Column("cancelled_because", sa.String(length=64), nullable=True),
    ):
        op.add_column("certificates", column)
    op.create_index(
        "ix_certificates_replaces", "certificates", ["replaces_id"], postgresql_where=REPLACING, sqlite_where=REPLACING
    )
