"""The agent that drafted the certificate of a transmission.

Revision ID: gateway_0002
"""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0002"
down_revision = "gateway_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transmissions", sa.Column("agent_id", sa.Uuid(), nullable=True))
