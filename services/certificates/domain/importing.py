"""Products and certificates of a former system are imported once. A row that differs from what is stored changes nothing."""

from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import Any

from shared.refusals import Refused


class CompanyNotKnown(Refused):
    code = "company_not_known"


class ProductNotImported(Refused):
    code = "product_not_imported"


class IssuedInFuture(Refused):
    code = "issued_in_future"


def must_be_issued_before(issued_on: date, today: date) -> None:
    """Raises IssuedInFuture."""
    if issued_on > today:
        raise IssuedInFuture("issued_on", day=issued_on)


def differences(stored: Any, row: Any, fields: Iterable[str]) -> list[str]:
    """The fields that differ between a stored object and a row."""
    return [name for name in fields if attrgetter(name)(stored) != attrgetter(name)(row)]
