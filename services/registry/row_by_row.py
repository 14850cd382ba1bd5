"""Rows of one command, each taken or refused by itself: a refused one leaves nothing behind and holds no other up."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sqlalchemy.exc import IntegrityError

from services.registry.domain.importing import ColleagueRefused, TakenMeanwhile
from shared.contracts.registry.importing import RowOutcome, RowReport
from shared.handling.work import Work
from shared.refusals import Refused

R = TypeVar("R")


async def take_together(rows: Sequence[R], take: Callable[[R, Work], Awaitable[RowReport]], work: Work) -> list[RowReport]:
    """What becomes of rows that come over all or none: where one is refused, the others are for that reason.

    What `take` announces and leaves for later must come last, when it can no longer refuse.
    """
    if len(rows) == 1:
        return [await _take(rows[0], take, work)]
    announced, later = len(work.announced), dict(work.tasks)
    whole = await work.session.begin_nested()
    reports = [await _take(row, take, work) for row in rows]
    if all(report.outcome is not RowOutcome.REFUSED for report in reports):
        await whole.commit()
        return reports
    await whole.rollback()
    del work.announced[announced:]
    work.tasks = later
    return [report if report.outcome is RowOutcome.REFUSED else _refused(ColleagueRefused()) for report in reports]


async def _take(row: R, take: Callable[[R, Work], Awaitable[RowReport]], work: Work) -> RowReport:
    try:
        async with work.session.begin_nested():
            return await take(row, work)
    except Refused as refused:
        return _refused(refused)
    except IntegrityError:  # somebody else's transaction was quicker
        return _refused(TakenMeanwhile())


def _refused(refused: Refused) -> RowReport:
    return RowReport(outcome=RowOutcome.REFUSED, code=refused.code, detail=refused.detail, fields=refused.fields)
