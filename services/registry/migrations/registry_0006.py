"""The language of a person, since when a registration waits, and the indexes of the lists.

Revision ID: registry_0006
"""

import sqlalchemy as sa
from alembic import op

from shared.database.column_types import UtcDateTime

revision = "registry_0006"
down_revision = "registry_0005"
branch_labels = None
depends_on = None
oldest_code = "registry_0001"  # the statement fills a new column only


def upgrade() -> None:
    op.add_column("users", sa.Column("language", sa.String(length=2), nullable=True))
    op.add_column("registrations", sa.Column("waiting_since", UtcDateTime(), nullable=True))
    op.execute(
        "UPDATE registrations SET waiting_since = (SELECT MAX(a.at) FROM registration_acts a "
        "WHERE a.exporter_id = registrations.exporter_id AND a.act IN ('apply', 'hand in', 'renew')) "
        "WHERE status = 'applied' OR asked = 'applied'"
    )
    op.create_index("ix_registrations_asked", "registrations", ["asked"])
    by_name = sa.text("lower(company_name)"), "exporter_id"
    op.create_index("ix_registrations_name", "registrations", [*by_name])
    op.create_index("ix_registrations_status_name", "registrations", ["status", *by_name])
