"""Indexes for the lists of a year's transmissions: those of an exporter or to a country that wait, and those of an agent.

Revision ID: gateway_0004
"""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0004"
down_revision = "gateway_0003"
branch_labels = None
depends_on = None

OPEN, OF_AN_AGENT = sa.text("NOT answered"), sa.text("agent_id IS NOT NULL")


def upgrade() -> None:
    for name, columns, only in (
        ("ix_transmissions_open_of_exporter", ["exporter_id", "began_at", "transmission_id"], OPEN),
        ("ix_transmissions_open_to_country", ["destination", "began_at", "transmission_id"], OPEN),
        ("ix_transmissions_agent", ["agent_id", "exporter_id", "began_at", "transmission_id"], OF_AN_AGENT),
    ):
        op.create_index(name, "transmissions", columns, postgresql_where=only, sqlite_where=only)
