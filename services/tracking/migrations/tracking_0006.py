"""Certified exporters, for the public check of origin declarations.

Revision ID: tracking_0006
"""

import sqlalchemy as sa
from alembic import op

revision = "tracking_0006"
down_revision = "tracking_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tracked_certified_exporters",
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("suspensions", sa.JSON(), nullable=False),
        sa.Column("signatories", sa.JSON(), nullable=False),
        sa.Column("goods", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
