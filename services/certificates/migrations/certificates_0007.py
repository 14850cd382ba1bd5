"""Indexes for the lists of a year's certificates, and the names of all consignees, in which a search looks.

Indexes that begin like another one are dropped: SQLite preferred them and sorted all that they found.

Revision ID: certificates_0007
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0007"
down_revision = "certificates_0006"
branch_labels = None
depends_on = None
oldest_code = "certificates_0001"  # the statement fills a new table only

OF_AN_AGENT, NUMBERED = sa.text("agent_id IS NOT NULL"), sa.text("reference IS NOT NULL")


def upgrade() -> None:
    op.create_table("consignee_names", sa.Column("search", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("search"))
    op.execute("INSERT INTO consignee_names (search) SELECT DISTINCT search FROM certificates")
    for name in ("exporter_id", "status", "since", "office_since", "destination_drafted"):
        op.drop_index(f"ix_certificates_{name}", "certificates")
    for name, columns in (
        ("status_drafted", ["status", "drafted_at", "certificate_id"]),
        ("exporter_status_drafted", ["exporter_id", "status", "drafted_at", "certificate_id"]),
        ("exporter_search", ["exporter_id", "search", "certificate_id"]),
        ("office_status_drafted", ["office", "status", "drafted_at", "certificate_id"]),
        ("destination_status_drafted", ["destination", "status", "drafted_at", "certificate_id"]),
    ):
        op.create_index(f"ix_certificates_{name}", "certificates", columns)
    op.create_index(
        "ix_certificates_agent",
        "certificates",
        ["agent_id", "exporter_id", "status", "drafted_at", "certificate_id"],
        postgresql_where=OF_AN_AGENT,
        sqlite_where=OF_AN_AGENT,
    )
    op.create_index(
        "ix_certificates_exporter_reference",
        "certificates",
        ["exporter_id", "reference"],
        postgresql_where=NUMBERED,
        sqlite_where=NUMBERED,
    )
