"""The ledger of messages, outages of partners, and the register of notices and prints.

Revision ID: gateway_0008
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "gateway_0008"
down_revision = "gateway_0007"
branch_labels = None
depends_on = None
oldest_code = "gateway_0001"  # new tables, new columns without a value, and an index

RECEIVED, OPEN = sa.text("code = 'REC'"), sa.text("reconciled_at IS NULL")


def upgrade() -> None:
    op.add_column("partners", sa.Column("problem", sa.String(length=300), nullable=True))
    op.add_column("partners", sa.Column("problem_at", UtcDateTime(), nullable=True))
    op.create_index("ix_steps_received", "steps", ["country", "at"], sqlite_where=RECEIVED, postgresql_where=RECEIVED)
    op.create_table(
        "messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("partner", sa.String(length=2), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("compressed", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "partner", "direction"),
    )
    op.create_index("ix_messages_newest", "messages", ["at", "message_id", "partner", "direction"])
    op.create_index("ix_messages_reference", "messages", ["reference", "at", "message_id", "partner", "direction"])
    op.create_index("ix_messages_partner", "messages", ["partner", "at", "message_id", "direction"])
    op.create_table(
        "partner_outages",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("country", "since"),
    )
    op.create_table(
        "contingencies",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("transmission", sa.Integer(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("destination", sa.String(length=2), nullable=False),
        sa.Column("out_since", UtcDateTime(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("public_key", sa.String(length=200), nullable=False),
        sa.Column("reconciled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_contingencies_newest", "contingencies", ["issued_at", "number"])
    op.create_index("ix_contingencies_certificate", "contingencies", ["certificate_id", "kind", "issued_at"])
    op.create_index("ix_contingencies_open", "contingencies", ["issued_at", "number"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_table(
        "contingency_numbers",
        sa.Column("kind", sa.String(length=1), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "year"),
    )
