"""Pages of a list: each page begins after the last row of the previous one, so new rows never shift it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_
from sqlalchemy.ext.asyncio import AsyncSession

from shared.refusals import Refused

KEY = "page_key_"


class CursorMalformed(Refused):
    code = "cursor_malformed"


@dataclass(frozen=True)
class By:
    """One column of an order; it is never null. The columns together must be unique."""

    column: ColumnElement[Any]
    descending: bool = False


async def page_of(
    session: AsyncSession, rows: Select[Any], order: Sequence[By], after: str | None, limit: int
) -> tuple[list[Row[Any]], str | None]:
    """The page of at most `limit` rows after a cursor, and the cursor of the next page, or None at the end.

    Raises CursorMalformed.
    """
    columns = [by.column.label(f"{KEY}{number}") for number, by in enumerate(order)]
    wanted = beginning(rows.add_columns(*columns), order, after, limit)
    found = list((await session.execute(wanted)).all())
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]._mapping
    return found[:limit], _written([last[f"{KEY}{number}"] for number in range(len(order))])


def beginning(rows: Select[Any], order: Sequence[By], after: str | None, limit: int) -> Select[Any]:
    """The rows that a page after a cursor is made of: one more than the page has. Raises CursorMalformed."""
    ordered = rows.order_by(*(by.column.desc() if by.descending else by.column.asc() for by in order))
    if after is not None:
        ordered = ordered.where(_after(order, _read(after, order)))
    return ordered.limit(limit + 1)


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column for a condition that no index shall serve: another one finds fewer rows, which the database cannot know."""
    return func.coalesce(column, column)


def _after(order: Sequence[By], values: Sequence[Any]) -> ColumnElement[bool]:
    """The rows that follow these values: the first column that differs decides.

    The bound of the first column says nothing new, but without it the database reads its index from the beginning.
    """
    first, alternatives = order[0], []
    for number, (by, value) in enumerate(zip(order, values, strict=True)):
        same = [former.column == values[position] for position, former in enumerate(order[:number])]
        beyond = by.column < value if by.descending else by.column > value
        alternatives.append(and_(*same, beyond))
    bound = first.column <= values[0] if first.descending else first.column >= values[0]
    return and_(bound, or_(*alternatives))


_KINDS: dict[str, Any] = {
    "u": (UUID, UUID, str),
    "t": (datetime, lambda text: datetime.fromisoformat(text).astimezone(UTC), datetime.isoformat),
    "d": (date, date.fromisoformat, date.isoformat),
    "i": (int, lambda text: _bounded(int(text)), str),
    "s": (str, lambda text: _storable(str(text)), str),
}
"""The kinds of values in a cursor: class, parser and writer."""


def _bounded(number: int) -> int:
    if not -(2**63) <= number < 2**63:
        raise ValueError("no database stores this number")
    return number


def _storable(text: str) -> str:
    if "\0" in text.encode().decode():  # a lone surrogate cannot be encoded
        raise ValueError("PostgreSQL stores no NUL")
    return text


def _written(values: Sequence[Any]) -> str:
    parts = [
        next([kind, write(value)] for kind, (cls, _, write) in _KINDS.items() if isinstance(value, cls)) for value in values
    ]
    return urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def _read(cursor: str, order: Sequence[By]) -> list[Any]:
    """The values of a cursor. One of another list, or a forged one, has other types."""
    try:
        parts = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [_KINDS[kind][1](text) for kind, text in parts]
    except (ValueError, TypeError, KeyError, OverflowError):
        raise CursorMalformed("after") from None
    if len(values) != len(order) or not all(map(isinstance, values, (by.column.type.python_type for by in order))):
        raise CursorMalformed("after")
    return values
