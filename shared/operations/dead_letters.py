"""Dead letters: an operator lists, shows, retries and discards them."""

import logging
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.engine import RowMapping

from shared.contracts import operations
from shared.contracts.messages import Event
from shared.database.tables import dead_letters, inbox
from shared.database.upserts import enqueue_tasks
from shared.handling.router import Router
from shared.handling.work import Work, id_of_subject
from shared.refusals import Refused

log = logging.getLogger(__name__)

MAX_ERROR = 300
MAX_BODY = 200_000
"""Maximum characters of an error in a list, and of a body in an answer."""

router = Router()


class DeadLetterNotFound(Refused):
    code = "dead_letter_not_found"


class DeadLetterFailsAgain(Refused):
    code = "dead_letter_fails_again"


@router.answers(operations.ListDeadLetters)
async def list_dead_letters(question: operations.ListDeadLetters, work: Work) -> operations.DeadLetters:
    """Returns one page of dead letters, without their bodies."""
    page = select(dead_letters).where(dead_letters.c.id > question.after).order_by(dead_letters.c.id).limit(question.limit)
    found = tuple(map(_without_body, (await work.session.execute(page)).mappings()))
    following = found[-1].id if len(found) == question.limit else None
    return operations.DeadLetters(letters=found, next=following)


@router.answers(operations.ShowDeadLetter)
async def show_dead_letter(question: operations.ShowDeadLetter, work: Work) -> operations.DeadLetters:
    """Returns one dead letter with its body."""
    row = (await work.session.execute(select(dead_letters).where(dead_letters.c.id == question.id))).mappings().first()
    if row is None:
        raise DeadLetterNotFound("id")
    body = row["body"].decode(errors="replace")[:MAX_BODY]
    return operations.DeadLetters(letters=(operations.DeadLetter(**{**row, "body": body}),))


@router.answers(operations.RetryDeadLetter)
async def retry_dead_letter(command: operations.RetryDeadLetter, work: Work) -> operations.Retried:
    """Enqueues a task again, or handles an event in this transaction."""
    letter = await _take(command.id, work)
    if letter["kind"] == "task":
        same = {name: letter[name] for name in ("key", "about", "traceparent")}
        row = {"kind": letter["name"], "body": letter["body"].decode(), "due_at": work.now, "scheduled": False} | same
        await enqueue_tasks(work.session, [row])
        return operations.Retried(retried=1)
    try:
        event_type, handler = work.use(Router).event_of(letter["name"])
        event = event_type.model_validate_json(letter["body"])
        await _record_received(work, letter["key"], event)
        work.begin(event, work.span)
        await handler(event, work)
        await work.session.flush()
    except Exception as error:
        raise DeadLetterFailsAgain(error=f"{type(error).__name__}: {error}"[:1000]) from error
    return operations.Retried(retried=1)


@router.answers(operations.DiscardDeadLetter)
async def discard_dead_letter(command: operations.DiscardDeadLetter, work: Work) -> operations.Discarded:
    """Deletes a dead letter and logs the reason."""
    letter = await _take(command.id, work)
    extra = {"letter": letter["name"], "key": letter["key"], "why": command.because}
    log.warning("a dead letter was discarded", extra=extra)
    return operations.Discarded(discarded=_without_body(letter))


async def _take(letter_id: int, work: Work) -> RowMapping:
    taken = delete(dead_letters).where(dead_letters.c.id == letter_id).returning(dead_letters)
    letter = (await work.session.execute(taken)).mappings().first()
    if letter is None:
        raise DeadLetterNotFound("id")
    return letter


def _without_body(row: RowMapping) -> operations.DeadLetter:
    fields: dict[str, Any] = {**row, "body": None, "error": row["error"][:MAX_ERROR]}
    return operations.DeadLetter(**fields)


async def _record_received(work: Work, key: str, event: Event) -> None:
    """Inserts the inbox row of a retried event, so that it has no second effect if the stream is rebuilt."""
    try:
        event_id = UUID(key)
    except ValueError:
        return  # it had no valid id
    row = {"event_id": event_id, "subject": event.subject, "about": id_of_subject(event), "received_at": work.now}
    await work.insert_new(inbox, [row])
