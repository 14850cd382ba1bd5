"""The agent that drafted the certificate of an invoice.

Revision ID: fees_0002
"""

import sqlalchemy as sa
from alembic import op

revision = "fees_0002"
down_revision = "fees_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("invoices", sa.Column("agent_id", sa.Uuid(), nullable=True))
