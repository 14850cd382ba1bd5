"""What an assessment of costs says for box 13, and by which rules.

Revision ID: certificates_0018
"""

import sqlalchemy as sa
from alembic import op

revision = "certificates_0018"
down_revision = "certificates_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("product_costs", sa.Column("rules", sa.String(60), nullable=False, server_default=""))
    op.add_column("product_costs", sa.Column("box_13", sa.JSON(), nullable=False, server_default="[]"))
