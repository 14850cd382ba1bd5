"""Rows with an effective date: a law or the ministry replaces a tariff, a form or an office. Standard library only."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import attrgetter
from typing import Any, TypeVar

R = TypeVar("R")


class NothingInForce(LookupError):
    """The day is before the effective date of the first row."""


def in_force(rows: Iterable[R], on: date, begins: Callable[[R], date] = attrgetter("effective_from")) -> R:
    """The latest row that begins on or before the day. Raises NothingInForce before the first row, and without rows.

    There is no fallback to another row: a wrong tariff or form would be a wrong legal act. The caller may refuse.
    """
    begun: list[R] = [row for row in rows if begins(row) <= on]
    if not begun:
        raise NothingInForce(f"nothing is in force on {on}")
    return max(begun, key=begins)


def effective_from(row: Mapping[str, Any]) -> date:
    """The field `effective_from` of a row of a data file (ISO 8601)."""
    return date.fromisoformat(row["effective_from"])
