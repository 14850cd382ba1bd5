"""Particulars of companies, renewals, suspensions, the history of registrations, and reminders.

Revision ID: registry_0002
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "registry_0002"
down_revision = "registry_0001"
oldest_code = "registry_0001"  # the statements fill new columns only
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("company_name_km", sa.String(length=200), nullable=True),
        sa.Column("address_km", sa.Text(), nullable=True),
        sa.Column("district", sa.String(length=4), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("contact_email", sa.String(length=254), nullable=True),
        sa.Column("representative", sa.Text(), nullable=True),
        sa.Column("asked", sa.String(length=40), nullable=False, server_default="nothing"),
        sa.Column("wanted", sa.Text(), nullable=True),
        sa.Column("new_documents", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("renewal_remarks", sa.Text(), nullable=True),
        sa.Column("approved_version", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("standing_version", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("registrations", column)
    op.execute("UPDATE registrations SET approved_version = version, standing_version = version WHERE valid_until IS NOT NULL")
    op.create_table(
        "registration_acts",
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("organisation", sa.String(length=40), nullable=True),
        sa.Column("remarks", sa.Text(), nullable=True),
        sa.Column("document", sa.String(length=40), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("exporter_id", "version"),
    )
    op.create_table(
        "reminders",
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("exporter_id", "valid_until", "days_before"),
    )
