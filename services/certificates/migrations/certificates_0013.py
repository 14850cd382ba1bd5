"""The Data Integrity proof of a credential.

Revision ID: certificates_0013
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0013"
down_revision = "certificates_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sealed_documents", sa.Column("proof", sa.Text()))
