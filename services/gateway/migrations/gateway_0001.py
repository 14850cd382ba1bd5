"""The tables of the gateway: transmissions, their steps, and documents from partners.

Revision ID: gateway_0001
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "gateway_0001"
down_revision = None
branch_labels = ("gateway",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transmissions",
        sa.Column("transmission_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("destination", sa.String(length=2), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("transmission_id"),
        sa.UniqueConstraint("reference", "number"),
    )
    op.create_index("ix_transmissions_certificate_id", "transmissions", ["certificate_id"], unique=False)
    op.create_table(
        "steps",
        sa.Column("transmission_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["transmission_id"], ["transmissions.transmission_id"]),
        sa.PrimaryKeyConstraint("transmission_id", "position"),
        sa.UniqueConstraint("transmission_id", "code"),
    )
    op.create_table(
        "inbound_documents",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.String(length=2), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("returned_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("document_id"),
        sa.UniqueConstraint("sender", "reference", "number"),
    )
