"""The order of lists, the states of partners, and the validity of received documents.

Revision ID: gateway_0003
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "gateway_0003"
down_revision = "gateway_0002"
branch_labels = None
depends_on = None
oldest_code = "gateway_0001"  # the statements fill new columns and new tables only

BEFORE_THE_FIRST_STEP = "2000-01-01T00:00:00.000000Z"
FILL = """
UPDATE transmissions SET
  began_at = COALESCE(
    (SELECT s.at FROM steps s WHERE s.transmission_id = transmissions.transmission_id AND s.position = 1), began_at),
  answered = EXISTS (
    SELECT 1 FROM steps s WHERE s.transmission_id = transmissions.transmission_id AND s.code NOT IN ('AS1', 'AS2'))
"""


def upgrade() -> None:
    op.add_column("transmissions", sa.Column("began_at", UtcDateTime(), server_default=BEFORE_THE_FIRST_STEP, nullable=False))
    op.add_column("transmissions", sa.Column("answered", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("inbound_documents", sa.Column("valid_until", sa.Date(), nullable=True))
    op.execute(FILL)
    op.create_index("ix_transmissions_newest", "transmissions", ["began_at", "transmission_id"])
    op.create_index("ix_transmissions_exporter", "transmissions", ["exporter_id", "began_at", "transmission_id"])
    op.create_index("ix_transmissions_destination", "transmissions", ["destination", "began_at", "transmission_id"])
    op.create_index("ix_transmissions_open", "transmissions", ["answered", "began_at", "transmission_id"])
    op.create_index("ix_inbound_documents_newest", "inbound_documents", ["received_at", "document_id"])
    op.create_index("ix_inbound_documents_sender", "inbound_documents", ["sender", "received_at", "document_id"])
    op.create_index(
        "ix_inbound_documents_reference",
        "inbound_documents",
        ["reference"],
        postgresql_ops={"reference": "varchar_pattern_ops"},
    )
    op.create_table(
        "partners",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("country"),
    )
