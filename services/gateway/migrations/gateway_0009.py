"""The kind of each document. Every document of a former release is an e-Form D.

Revision ID: gateway_0009
"""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0009"
down_revision = "gateway_0008"
branch_labels = None
depends_on = None
oldest_code = "gateway_0001"  # new columns with a default

E_FORM_D = "e_form_d"


def upgrade() -> None:
    for table in ("transmissions", "inbound_documents"):
        op.add_column(table, sa.Column("kind", sa.String(length=40), server_default=E_FORM_D, nullable=False))
