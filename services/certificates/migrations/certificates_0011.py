"""The nomenclature: editions with their lines; the channel by which a document is exchanged.

Revision ID: certificates_0011
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "certificates_0011"
down_revision = "certificates_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("channel", sa.String(8), nullable=True, server_default="ASW"))
    op.create_table(
        "nomenclature_editions",
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("edition_id"),
    )
    op.create_table(
        "nomenclature_lines",
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(11), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("edition_id", "code"),
    )
