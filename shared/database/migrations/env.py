"""Alembic's entry: the same for every service. The address of the database comes from `schema.migrate`."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from shared.database.engine import Database
from shared.database.migrations.schema import must_not_be_newer, note_runnable

ONE_AT_A_TIME = 4_210_001


def _migrate(connection: Connection) -> None:
    service = context.config.attributes["service"]
    if connection.dialect.name == "postgresql":  # SQLite's transaction keeps others out by itself
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
    if must_not_be_newer(connection, service).newer_than(service):
        return  # a newer release has migrated it, and this one runs on the result
    context.configure(connection=connection, transactional_ddl=True)
    context.run_migrations()
    note_runnable(connection, service)


async def _connect_and_migrate() -> None:
    database = Database(context.config.attributes["url"])
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate)
    await database.close()


asyncio.run(_connect_and_migrate())
