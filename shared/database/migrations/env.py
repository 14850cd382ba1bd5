"""The environment of Alembic, the same for every service. `schema.migrate` gives the address of the database."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from shared.database.engine import Database
from shared.database.migrations.schema import must_not_be_newer, store_runnable

MIGRATION_LOCK = 4_210_001
"""The key of the advisory lock of migrations; the number is arbitrary."""


def _migrate(connection: Connection) -> None:
    service = context.config.attributes["service"]
    if connection.dialect.name == "postgresql":  # a transaction of SQLite excludes others
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    if must_not_be_newer(connection, service).newer_than(service):
        return  # a newer release has migrated it, and this release can run on the result
    context.configure(connection=connection, transactional_ddl=True)
    context.run_migrations()
    store_runnable(connection, service)


async def _connect_and_migrate() -> None:
    database = Database(context.config.attributes["url"])
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate)
    await database.close()


asyncio.run(_connect_and_migrate())
