"""Origin rules that an operator loads, and the parts of a file that is being loaded.

Revision ID: certificates_0012
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "certificates_0012"
down_revision = "certificates_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "origin_rule_sets",
        sa.Column("rule_set_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.String(12), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("rule_set_id"),
        sa.UniqueConstraint("form", "version", name="uq_origin_rule_sets_version"),
    )
    op.create_table(
        "origin_rule_parts",
        sa.Column("rule_set_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("rule_set_id", "number"),
    )
