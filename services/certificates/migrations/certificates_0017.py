"""Attachments of certificates, certified true copies, and the time in each status.

Revision ID: certificates_0017
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "certificates_0017"
down_revision = "certificates_0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("attached_at", UtcDateTime(), nullable=False),
        sa.Column("attached_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("certificate_id", "sha256"),
    )
    op.create_table(
        "true_copies",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("office", sa.String(5), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("key_id", sa.String(20), nullable=True),
        sa.Column("locked_summary", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index("ix_true_copies_certificate", "true_copies", ["certificate_id", "requested_at"])
    op.create_index("ix_true_copies_status", "true_copies", ["status", "requested_at"])
    op.create_index("ix_true_copies_office_status", "true_copies", ["office", "status", "requested_at"])
    op.create_table(
        "status_times",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("office", sa.String(5), nullable=False),
        sa.Column("destination", sa.String(2), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", "version"),
    )
    op.create_index("ix_status_times_status", "status_times", ["status", "ended_at"])
    op.create_index("ix_status_times_office_status", "status_times", ["office", "status", "ended_at"])
