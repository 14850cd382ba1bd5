"""Originals of back-to-back certificates, with the ledger of their quantities.

Revision ID: certificates_0009
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0009"
down_revision = "certificates_0008"
branch_labels = None
depends_on = None
oldest_code = "certificates_0001"  # new tables only


def upgrade() -> None:
    op.create_table(
        "originals",
        sa.Column("original_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("consignee", sa.String(length=200), nullable=False),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("on_paper", sa.Boolean(), nullable=False),
        sa.Column("based_on", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("original_id"),
    )
    op.create_table(
        "original_lines",
        sa.Column("original_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hs_code", sa.String(length=20), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("denied", sa.Boolean(), nullable=False),
        sa.CheckConstraint("taken >= 0", name="ck_original_lines_taken"),
        sa.PrimaryKeyConstraint("original_id", "number"),
    )
    op.create_table(
        "original_uses",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("original_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("borrowed", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "item"),
    )
    op.create_index("ix_original_uses_original", "original_uses", ["original_id", "line", "certificate_id", "item"])
