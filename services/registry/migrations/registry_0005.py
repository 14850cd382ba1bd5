"""A refused application does not reserve its tax number.

Revision ID: registry_0005
"""

import sqlalchemy as sa
from alembic import op

revision = "registry_0005"
down_revision = "registry_0004"
branch_labels = None
depends_on = None
oldest_code = "registry_0001"  # the new constraint is weaker than the former one

NAMES = {"uq": "%(table_name)s_%(column_0_name)s_key"}
"""The name that PostgreSQL gives to an unnamed constraint; SQLite gives none."""


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
