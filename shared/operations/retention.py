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
NOT_KEPT = timedelta(0)

MAX_DELETED = 500
"""Maximum rows of a table that one transaction deletes: nobody waits long for it."""

router = Router()


class Prune(Task):
    """Deletes expired rows once a day."""

    kind: ClassVar[str] = "prune"
    every: ClassVar[timedelta | None] = timedelta(days=1)


@router.due(Prune)
async def prune(task: Prune, work: Work) -> None:
    """Deletes the rows of the plumbing that have expired, the oldest first. If there are more, it runs again at once."""
    expired = (
        (answers, answers.c.answered_at, ANSWERS_KEPT),
        (outbox, outbox.c.recorded_at, OUTBOX_KEPT),
        (inbox, inbox.c.received_at, INBOX_KEPT),
        (revoked_sessions, revoked_sessions.c.until, NOT_KEPT),
        (revoked_mandates, revoked_mandates.c.until, NOT_KEPT),
        (used_step_ups, used_step_ups.c.until, NOT_KEPT),
    )
    if MAX_DELETED in [await _delete_before(table, age, work.now - kept, work) for table, age, kept in expired]:
        work.later(task, key=Prune.period_of(work.now).isoformat())


async def _delete_before(table: Table, age: ColumnElement[datetime], instant: datetime, work: Work) -> int:
    """Deletes the oldest rows before an instant, at most `MAX_DELETED`, but no event that waits. Returns how many."""
    key = tuple_(*table.primary_key.columns)
    oldest = select(*table.primary_key.columns).where(age < instant)
    if table is outbox:
        oldest = oldest.where(outbox.c.sent_at < instant)
    deleted = delete(table).where(key.in_(oldest.order_by(age).limit(MAX_DELETED))).returning(age)
    return len((await work.session.execute(deleted)).all())
