"""Claims: a replica claims rows of the outbox or tasks, so that no other replica processes them meanwhile."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, exists, or_, select, update

from shared.clock import MAX_CLOCK_SKEW
from shared.database.engine import Database


def is_free(until: ColumnElement[datetime], now: datetime, lasts: timedelta) -> ColumnElement[bool]:
    """Whether a row is not claimed. A claim that ends too far ahead comes from a clock that was set back later."""
    return or_(until.is_(None), ~until.between(now, now + lasts + MAX_CLOCK_SKEW))


async def claim(
    database: Database, table: Table, free: ColumnElement[bool], order: ColumnElement[Any], limit: int, **values: object
) -> list[Row[Any]]:
    """Sets `values` on at most `limit` free rows and returns these rows. It skips rows that another replica is claiming.

    It reads first, so that a service without work begins no writing transaction.
    """
    async with database.reading() as session:
        if not await session.scalar(select(exists().where(free))):
            return []
    next_ones = select(table.c.id).where(free).order_by(order).limit(limit).with_for_update(skip_locked=True)
    statement = update(table).where(table.c.id.in_(next_ones)).values(values).returning(table)
    async with database.writing() as transaction:
        return list((await transaction.session.execute(statement)).all())
