"""Claims: a replica claims rows of the outbox or tasks, so that no other replica processes them meanwhile."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, bindparam, exists, or_, select, update

from shared.clock import MAX_CLOCK_SKEW
from shared.database.column_types import UtcDateTime
from shared.database.engine import Database

OUTBOX_CLAIM = timedelta(seconds=10)
"""How long the claim of a row of the outbox lasts. One attempt to publish takes at most half of that."""

NOW = bindparam("now", type_=UtcDateTime)
_LATEST = bindparam("latest", type_=UtcDateTime)


class Claims:
    """The claims on one table. Its two statements are built once.

    `ready`: further conditions on a row; it may use `NOW`. `values`: what a claim sets, with `bindparam`s of its own.
    """

    def __init__(
        self, table: Table, until: ColumnElement[datetime], ready: ColumnElement[bool], order: ColumnElement[Any], **values: Any
    ) -> None:
        # a claim that ends too far ahead comes from a clock that was set back later
        free = ready & or_(until.is_(None), ~until.between(NOW, _LATEST))
        next_ones = select(table.c.id).where(free).order_by(order).limit(bindparam("at_most")).with_for_update(skip_locked=True)
        self._any = select(exists().where(free))
        self._claim = update(table).where(table.c.id.in_(next_ones)).values(values).returning(table)

    async def claim(self, database: Database, now: datetime, lasts: timedelta, at_most: int, **values: Any) -> list[Row[Any]]:
        """Claims at most `at_most` free rows and returns them. It skips rows that another replica is claiming.

        It reads first, so that a service without work begins no writing transaction.
        """
        parameters = {"now": now, "latest": now + lasts + MAX_CLOCK_SKEW, "at_most": at_most} | values
        async with database.reading() as session:
            if not await session.scalar(self._any, parameters):
                return []
        async with database.writing() as transaction:
            return list((await transaction.session.execute(self._claim, parameters)).all())
