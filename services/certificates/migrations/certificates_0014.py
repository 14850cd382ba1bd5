"""The Data Integrity proof of a credential.

Revision ID: certificates_0014
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0014"
down_revision = "certificates_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sealed_documents", sa.Column("proof", sa.Text()))
