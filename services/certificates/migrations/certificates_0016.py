"""The register of certified exporters.

Revision ID: certificates_0016
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "certificates_0016"
down_revision = "certificates_0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certified_exporters",
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("signatories", sa.Text(), nullable=False),
        sa.Column("products", sa.Text(), nullable=False),
        sa.Column("suspensions", sa.Text(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("by_registration", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_certified_exporters_exporter", "certified_exporters", ["exporter_id", "code"])
    op.create_index("ix_certified_exporters_status", "certified_exporters", ["status", "code"])
    op.create_table(
        "certified_exporter_acts",
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("code", "version"),
    )
    op.create_table(
        "certified_exporter_numbers",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("year"),
    )
