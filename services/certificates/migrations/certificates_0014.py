"""Cost statements of products, and the end of an approval.

Revision ID: certificates_0014
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "certificates_0014"
down_revision = "certificates_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("costs_version", sa.Integer()))
    op.add_column("products", sa.Column("approved_costs_version", sa.Integer()))
    op.add_column("products", sa.Column("claim_met", sa.Boolean()))
    op.add_column("products", sa.Column("valid_until", sa.Date()))
    op.create_table(
        "product_costs",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("costs", sa.Text(), nullable=False),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("claim_met", sa.Boolean(), nullable=False),
        sa.Column("stated_at", UtcDateTime(), nullable=False),
        sa.Column("stated_by", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("product_id", "version"),
    )
