"""Sealed documents, previews, contingency prints, and the keys of the offices.

Revision ID: certificates_0010
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "certificates_0010"
down_revision = "certificates_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("sealed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_documents_unsealed",
        "documents",
        ["certificate_id"],
        postgresql_where=sa.text("NOT sealed"),
        sqlite_where=sa.text("sealed = 0"),
    )
    op.create_table(
        "sealed_documents",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(20), nullable=False),
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("locked_summary", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("sealed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_table(
        "previews",
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id"),
    )
    op.create_table(
        "contingency_copies",
        sa.Column("office", sa.String(5), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("printed_on", sa.Date(), nullable=False),
        sa.Column("printed_at", UtcDateTime(), nullable=False),
        sa.Column("printed_by", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("key_id", sa.String(20), nullable=True),
        sa.Column("locked_summary", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("office", "year", "serial"),
    )
    op.create_index("ix_contingency_copies_certificate", "contingency_copies", ["certificate_id", "printed_at"])
    op.create_table(
        "contingency_numbers",
        sa.Column("office", sa.String(5), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("office", "year"),
    )
    op.create_table(
        "document_keys",
        sa.Column("key_id", sa.String(20), nullable=False),
        sa.Column("office", sa.String(5), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("withdrawn_since", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("key_id"),
    )
