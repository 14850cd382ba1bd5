"""Retention: deletes expired rows once a day."""

from datetime import timedelta
from typing import ClassVar

from sqlalchemy import delete

from shared.database.tables import answers, inbox, outbox, revoked_mandates, revoked_sessions, used_step_ups
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

ANSWERS_KEPT = timedelta(days=7)
OUTBOX_KEPT = timedelta(days=29)
"""One day less than the retention of the stream, so that the stream contains every event of the outbox."""
INBOX_KEPT = timedelta(days=35)

router = Router()


class Prune(Task):
    """Deletes expired rows once a day."""

    kind: ClassVar[str] = "prune"
    every: ClassVar[timedelta | None] = timedelta(days=1)


@router.due(Prune)
async def prune(task: Prune, work: Work) -> None:
    """Deletes the rows of the plumbing that have expired."""
    for expired in (
        delete(answers).where(answers.c.answered_at < work.now - ANSWERS_KEPT),
        delete(outbox).where(outbox.c.sent_at < work.now - OUTBOX_KEPT),
        delete(inbox).where(inbox.c.received_at < work.now - INBOX_KEPT),
        delete(revoked_sessions).where(revoked_sessions.c.until < work.now),
        delete(revoked_mandates).where(revoked_mandates.c.until < work.now),
        delete(used_step_ups).where(used_step_ups.c.until < work.now),
    ):
        await work.session.execute(expired)
