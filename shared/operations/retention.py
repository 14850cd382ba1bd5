"""Retention: deletes expired rows once a day."""

from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import ColumnElement, Table, delete, select, tuple_

from shared.database.tables import answers, inbox, outbox, revoked_mandates, revoked_sessions, used_step_ups
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

ANSWERS_KEPT = timedelta(days=7)
OUTBOX_KEPT = timedelta(days=29)
"""One day less than the retention of the stream, so that the stream contains every event of the outbox."""
INBOX_KEPT = timedelta(days=35)

MAX_DELETED = 100
"""Maximum rows of a table that one transaction deletes."""

router = Router()


class Prune(Task):
    """Deletes expired rows once a day."""

    kind: ClassVar[str] = "prune"
    every: ClassVar[timedelta | None] = timedelta(days=1)


@router.due(Prune)
async def prune(task: Prune, work: Work) -> None:
    """Deletes the rows of the plumbing that have expired. If there are more, it runs again at once."""
    sent_before = outbox.c.sent_at < work.now - OUTBOX_KEPT  # an event that waits is not deleted
    more = [
        await delete_oldest(work, answers, answers.c.answered_at, work.now - ANSWERS_KEPT),
        await delete_oldest(work, outbox, outbox.c.recorded_at, work.now - OUTBOX_KEPT, sent_before),
        await delete_oldest(work, inbox, inbox.c.received_at, work.now - INBOX_KEPT),
        await delete_oldest(work, revoked_sessions, revoked_sessions.c.until, work.now),
        await delete_oldest(work, revoked_mandates, revoked_mandates.c.until, work.now),
        await delete_oldest(work, used_step_ups, used_step_ups.c.until, work.now),
    ]
    if any(more):
        work.later(task, key=Prune.period_of(work.now).isoformat())


async def delete_oldest(
    work: Work, table: Table, age: ColumnElement[datetime], before: datetime, *conditions: ColumnElement[bool]
) -> bool:
    """Deletes the oldest rows before an instant, at most `MAX_DELETED`. Returns whether there may be more.

    `age`: a column with an index. Nobody waits long for one batch.
    """
    key = table.primary_key.columns
    oldest = select(*key).where(age < before, *conditions).order_by(age).limit(MAX_DELETED)
    deleted = await work.session.execute(delete(table).where(tuple_(*key).in_(oldest)).returning(age))
    return len(deleted.all()) == MAX_DELETED
