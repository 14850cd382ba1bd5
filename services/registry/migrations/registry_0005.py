"""An application that was refused leaves its tax number to others.

Revision ID: registry_0005
"""

import sqlalchemy as sa
from alembic import op

revision = "registry_0005"
down_revision = "registry_0004"
branch_labels = None
depends_on = None
oldest_code = "registry_0001"  # the rule that takes the place of another asks for less

NAMES = {"uq": "%(table_name)s_%(column_0_name)s_key"}
"""What PostgreSQL calls a constraint that was given no name; SQLite has none for it."""


def upgrade() -> None:
    with op.batch_alter_table("registrations", naming_convention=NAMES) as registrations:
        registrations.drop_constraint("registrations_tax_number_key", type_="unique")
    not_refused = sa.text("status != 'refused'")
    op.create_index(
        "uq_registrations_tax_number",
        "registrations",
        ["tax_number"],
        unique=True,
        postgresql_where=not_refused,
        sqlite_where=not_refused,
    )
