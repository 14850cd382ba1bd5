"""Claims of rows by one replica: what an outbox row and a task have in common."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, exists, or_, select, update

from shared.clock import MAX_CLOCK_SKEW
from shared.database.engine import Database


def is_free(until: ColumnElement[datetime], now: datetime, lasts: timedelta) -> ColumnElement[bool]:
    """Whether no claim holds. One that ends too far ahead was made by a clock that was set back since."""
    return or_(until.is_(None), ~until.between(now, now + lasts + MAX_CLOCK_SKEW))


async def claim(
    database: Database, table: Table, free: ColumnElement[bool], order: ColumnElement[Any], limit: int, **values: object
) -> list[Row[Any]]:
    """Sets `values` on at most `limit` free rows and returns them; rows that another replica is claiming are skipped.

    It reads first, so that a service without work takes no writing transaction.
    """
    async with database.reading() as session:
        if not await session.scalar(select(exists().where(free))):
            return []
    next_ones = select(table.c.id).where(free).order_by(order).limit(limit).with_for_update(skip_locked=True)
    statement = update(table).where(table.c.id.in_(next_ones)).values(values).returning(table)
    async with database.writing() as transaction:
        return list((await transaction.session.execute(statement)).all())
