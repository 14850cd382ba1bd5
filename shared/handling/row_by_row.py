"""Imports the rows of one command, each in a savepoint of its own: a refused row leaves nothing and blocks no other row."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from shared.contracts.registry.importing import Imported, RowOutcome, RowReport
from shared.handling.work import Work
from shared.refusals import Refused

R = TypeVar("R")


class ColleagueRefused(Refused):
    code = "colleague_refused"


class TakenMeanwhile(Refused):
    code = "taken_meanwhile"


async def import_together(
    rows: Sequence[R], import_row: Callable[[R, Work], Awaitable[RowReport]], work: Work
) -> list[RowReport]:
    """Imports rows all or none: if one is refused, so are the others.

    `import_row` must announce and schedule last, when it can no longer refuse.
    """
    if len(rows) == 1:
        return [await _import(rows[0], import_row, work)]
    announced, later = len(work.announced), dict(work.tasks)
    savepoint = await work.session.begin_nested()
    reports = [await _import(row, import_row, work) for row in rows]
    if all(report.outcome is not RowOutcome.REFUSED for report in reports):
        await savepoint.commit()
        return reports
    await savepoint.rollback()
    del work.announced[announced:]
    work.tasks = later
    return [report if report.outcome is RowOutcome.REFUSED else _refused(ColleagueRefused()) for report in reports]


async def import_each(rows: Sequence[R], import_row: Callable[[R, Work], Awaitable[RowReport]], work: Work) -> Imported:
    """Imports each row for itself: a refused row blocks no other."""
    return Imported(rows=[await _import(row, import_row, work) for row in rows])


async def _import(row: R, import_row: Callable[[R, Work], Awaitable[RowReport]], work: Work) -> RowReport:
    try:
        async with work.session.begin_nested():
            return await import_row(row, work)
    except Refused as refused:
        return _refused(refused)
    except IntegrityError:  # another transaction has committed the same key
        return _refused(TakenMeanwhile())


def _refused(refused: Refused) -> RowReport:
    return RowReport(outcome=RowOutcome.REFUSED, code=refused.code, detail=refused.detail, fields=refused.fields)
