"""Certificates of the former system, to copy from.

Revision ID: certificates_0015
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0015"
down_revision = "certificates_0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "former_certificates",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(60), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("search", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_index("ix_former_certificates_exporter", "former_certificates", ["exporter_id", "issued_on", "certificate_id"])
