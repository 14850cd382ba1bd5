"""Indexes for the lists of a year's invoices.

An index that begins like another one is dropped: SQLite preferred it and sorted all that it found.

Revision ID: fees_0004
"""

import sqlalchemy as sa
from alembic import op

revision = "fees_0004"
down_revision = "fees_0003"
branch_labels = None
depends_on = None

UNPAID, OF_AN_AGENT = sa.text("settled_submission != submission"), sa.text("agent_id IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_invoices_exporter_id", "invoices")
    newest_of_exporter = ["exporter_id", "assessed_at", "certificate_id"]
    for name, columns, only in (
        ("ix_invoices_newest_unpaid_of_exporter", newest_of_exporter, UNPAID),
        ("ix_invoices_newest_of_agent", ["agent_id", *newest_of_exporter], OF_AN_AGENT),
    ):
        op.create_index(name, "invoices", columns, postgresql_where=only, sqlite_where=only)
