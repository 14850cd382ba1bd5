"""Alembic's entry: the same for every service. The address of the database comes from `schema.migrate`."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from shared.database import Database

ONE_AT_A_TIME = 4_210_001


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's transaction keeps others out by itself
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_AT_A_TIME})
    context.configure(connection=connection, transactional_ddl=True)
    context.run_migrations()


async def _connect_and_migrate() -> None:
    database = Database(context.config.attributes["url"])
    async with database.engine.begin() as connection:
        await connection.run_sync(_migrate)
    await database.close()


asyncio.run(_connect_and_migrate())
