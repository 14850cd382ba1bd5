"""The agent that drafted a certificate, and the mandates under which agents act.

Revision ID: certificates_0004
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0004"
down_revision = "certificates_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("certificates", sa.Column("agent_id", sa.Uuid(), nullable=True))
    op.create_table(
        "mandates",
        sa.Column("mandate_id", sa.Uuid(), nullable=False),
        sa.Column("exporter_id", sa.Uuid(), nullable=False),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mandate_id"),
    )
