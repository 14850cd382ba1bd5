"""The agent that drafted the certificate of a document.

Revision ID: certificates_0005
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0005"
down_revision = "certificates_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("agent_id", sa.Uuid(), nullable=True))
