"""Rows that a law or the ministry replaces from a day on: tariffs, forms, offices. Standard library only."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import attrgetter
from typing import Any, TypeVar

R = TypeVar("R")


class NothingInForce(LookupError):
    """The day lies before the first row begins."""


def in_force(rows: Iterable[R], on: date, begins: Callable[[R], date] = attrgetter("effective_from")) -> R:
    """The latest row that begins on or before the day. Raises NothingInForce before the first row, and without rows.

    Another row is never used instead: a wrong tariff or form would be a wrong legal act. The caller may refuse.
    """
    begun: list[R] = [row for row in rows if begins(row) <= on]
    if not begun:
        raise NothingInForce(f"nothing is in force on {on}")
    return max(begun, key=begins)


def effective_from(row: Mapping[str, Any]) -> date:
    """The first day of a row as a data file writes it."""
    return date.fromisoformat(row["effective_from"])
