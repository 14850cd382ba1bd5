"""Verification cases.

Revision ID: gateway_0006
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "gateway_0006"
down_revision = "gateway_0005"
branch_labels = None
depends_on = None
oldest_code = "gateway_0001"  # a new table


def upgrade() -> None:
    op.create_table(
        "verification_cases",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("partner", sa.String(length=2), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=False),
        sa.Column("close_by", sa.Date(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("ix_verification_cases_list", "verification_cases", ["ours", "answered", "answer_by", "case_id"])
