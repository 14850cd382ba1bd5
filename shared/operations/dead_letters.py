"""What every service answers to its operators, and what it does of itself: keys, revoked sessions, pruning."""

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.observability import metrics
from shared.contracts import operations
from shared.contracts.messages import Event
from shared.contracts.registry.identity import SessionRevoked, SigningKeyPublished
from shared.contracts.registry.mandates import MandateRevoked
from shared.security.revocations import revoke_mandate, revoke_session
from shared.operations.recovery import recovering_of
from shared.refusals import Refused
from shared.handling.router import Router
from shared.audit_log.sealing import sealing_of
from shared.database.tables import answers, dead_letters, inbox, outbox, revoked_mandates, revoked_sessions, signing_keys, tasks, used_step_ups
from shared.database.upserts import enqueue_tasks, insert_new
from shared.operations.consistency import consistency_of
from shared.handling.task import Task
from shared.handling.work import Work, about

if TYPE_CHECKING:
    from shared.runtime.replica import Replica

log = logging.getLogger(__name__)

ANSWERS_KEPT = timedelta(days=7)
OUTBOX_KEPT = timedelta(days=29)
"""A day less than the stream, so that the stream holds whatever the outbox does."""
INBOX_KEPT = timedelta(days=35)

ERROR_LISTED = 300
BODY_SHOWN = 200_000
"""Characters that travel of an error in a list, and of a body."""


class DeadLetterNotFound(Refused):
    """There is no such dead letter: it may have been retried already."""

    code = "dead_letter_not_found"


class DeadLetterFailsAgain(Refused):
    """The dead letter cannot be taken yet; it was left where it is."""

    code = "dead_letter_fails_again"


class Prune(Task):
    """Forgets, once a day, what nobody can ask for any more."""

    kind: ClassVar[str] = "prune"


def plumbing_of(replica: "Replica") -> Router:
    """The handlers that the plumbing brings to every service."""
    router = Router()
    router.include(consistency_of(replica))
    router.include(recovering_of(replica))
    router.include(sealing_of(replica))

    @router.on(SigningKeyPublished)
    async def learn_key_on_signing_key_published(event: SigningKeyPublished, work: Work) -> None:
        row = {
            "key_id": event.key_id,
            "public_key": event.public_key,
            "not_before": event.not_before,
            "not_after": event.not_after,
        }
        if not (await work.session.execute(insert_new(work.dialect, signing_keys, [row]))).all():
            known = signing_keys.c.key_id == event.key_id  # a key may be retired sooner, and never later
            sooner = update(signing_keys).where(known, signing_keys.c.not_after > event.not_after)
            await work.session.execute(sooner.values(not_after=event.not_after))

    router.on(SessionRevoked)(revoke_session)
    router.on(MandateRevoked)(revoke_mandate)

    @router.due(Prune)
    async def prune(task: Prune, work: Work) -> None:
        for stale in (
            delete(answers).where(answers.c.answered_at < work.now - ANSWERS_KEPT),
            delete(outbox).where(outbox.c.sent_at < work.now - OUTBOX_KEPT),
            delete(inbox).where(inbox.c.received_at < work.now - INBOX_KEPT),
            delete(revoked_sessions).where(revoked_sessions.c.until < work.now),
            delete(revoked_mandates).where(revoked_mandates.c.until < work.now),
            delete(used_step_ups).where(used_step_ups.c.until < work.now),
        ):
            await work.session.execute(stale)
        leave_pruning(work, work.now + timedelta(days=1))

    @router.answers(operations.AskHealth)
    async def ask_health(question: operations.AskHealth, work: Work) -> operations.Health:
        problems = await replica.problems()
        return operations.Health(service=replica.name, ready=not problems, problems=tuple(problems), started_at=replica.started_at)

    @router.answers(operations.AskLag)
    async def ask_lag(question: operations.AskLag, work: Work) -> operations.Lag:
        waiting, handed_over = await replica.events_waiting()
        return operations.Lag(
            service=replica.name,
            events_waiting=waiting,
            events_handed_over=handed_over,
            **await what_waits(work.session, work.now),
        )

    @router.answers(operations.ListDeadLetters)
    async def list_dead_letters(question: operations.ListDeadLetters, work: Work) -> operations.DeadLetters:
        page = select(dead_letters).where(dead_letters.c.id > question.after).order_by(dead_letters.c.id).limit(question.limit)
        rows = (await work.session.execute(page)).mappings()
        return operations.DeadLetters(
            letters=tuple(operations.DeadLetter(**{**row, "body": None, "error": row["error"][:ERROR_LISTED]}) for row in rows)
        )

    @router.answers(operations.ShowDeadLetter)
    async def show_dead_letter(question: operations.ShowDeadLetter, work: Work) -> operations.DeadLetters:
        row = (await work.session.execute(select(dead_letters).where(dead_letters.c.id == question.id))).mappings().first()
        if row is None:
            raise DeadLetterNotFound("", "id")
        body = row["body"].decode(errors="replace")[:BODY_SHOWN]
        return operations.DeadLetters(letters=(operations.DeadLetter(**{**row, "body": body}),))

    @router.answers(operations.RetryDeadLetter)
    async def retry_dead_letter(command: operations.RetryDeadLetter, work: Work) -> operations.Retried:
        taken = delete(dead_letters).where(dead_letters.c.id == command.id).returning(dead_letters)
        letter = (await work.session.execute(taken)).mappings().first()
        if letter is None:
            raise DeadLetterNotFound("", "id")
        if letter["kind"] == "task":
            same = {name: letter[name] for name in ("key", "about", "traceparent")}
            row = {"kind": letter["name"], "body": letter["body"].decode(), "due_at": work.now, "scheduled": False} | same
            await work.session.execute(enqueue_tasks(work.dialect), [row])
            return operations.Retried(retried=1)
        try:
            event_type, handler = replica.listens_to(letter["name"])
            event = event_type.model_validate_json(letter["body"])
            await note_heard(work, letter["key"], event)
            work.begin_about(event, work.span)
            await handler(event, work)
            await work.session.flush()
        except Exception as error:
            raise DeadLetterFailsAgain(f"{type(error).__name__}: {error}"[:1000]) from error
        return operations.Retried(retried=1)

    @router.answers(operations.DiscardDeadLetter)
    async def discard_dead_letter(command: operations.DiscardDeadLetter, work: Work) -> operations.Discarded:
        discarded = delete(dead_letters).where(dead_letters.c.id == command.id).returning(dead_letters)
        letter = (await work.session.execute(discarded)).mappings().first()
        if letter is None:
            raise DeadLetterNotFound("", "id")
        log.warning(
            "a dead letter was discarded", extra={"letter": letter["name"], "key": letter["key"], "why": command.because}
        )
        return operations.Discarded(discarded=operations.DeadLetter(**{**letter, "body": None, "error": letter["error"][:ERROR_LISTED]}))

    return router


def leave_pruning(work: Work, due_at: datetime) -> None:
    """Leaves the next pruning for later; left twice it is still one."""
    work.later(Prune(), key=due_at.date().isoformat(), due_at=due_at)


async def what_waits(session: AsyncSession, now: datetime) -> dict[str, int | float]:
    """What waits in the database of a service, as counts and ages in seconds; also sets the gauges."""

    async def count(table: Table, *conditions: object) -> int:
        return await session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0  # type: ignore[arg-type]

    unsent = outbox.c.sent_at.is_(None)
    due = (tasks.c.due_at <= now) | ~tasks.c.scheduled
    oldest_unsent = await session.scalar(select(func.min(outbox.c.recorded_at)).where(unsent))
    oldest_due = await session.scalar(select(func.min(tasks.c.due_at)).where(due))
    lag: dict[str, int | float] = {
        "outbox_waiting": await count(outbox, unsent),
        "outbox_oldest_seconds": _age(oldest_unsent, now),
        "tasks_waiting": await count(tasks, due),
        "tasks_oldest_seconds": _age(oldest_due, now),
        "tasks_failing": await count(tasks, tasks.c.attempts > 1),
        "dead_letters": await count(dead_letters),
    }
    for what in ("outbox", "tasks"):
        metrics.waiting.labels(what).set(lag[f"{what}_waiting"])
        metrics.oldest.labels(what).set(lag[f"{what}_oldest_seconds"])
    metrics.waiting.labels("tasks_failing").set(lag["tasks_failing"])
    metrics.waiting.labels("dead_letters").set(lag["dead_letters"])
    return lag


async def measure_keys(session: AsyncSession, now: datetime) -> None:
    """Sets the gauge of how long the keys last that are known here."""
    if last := await session.scalar(select(func.max(signing_keys.c.not_after))):
        metrics.keys_end.set((last.astimezone(UTC) - now).total_seconds())


def _age(instant: datetime | None, now: datetime) -> float:
    return 0.0 if instant is None else max(0.0, (now - instant.astimezone(UTC)).total_seconds())


async def note_heard(work: Work, key: str, event: Event) -> None:
    """Notes that an event was taken after all, so that it does not act again should the stream be rebuilt."""
    try:
        event_id = UUID(key)
    except ValueError:
        return  # it never had an id
    row = {"event_id": event_id, "subject": event.subject, "about": about(event), "received_at": work.now}
    await work.session.execute(insert_new(work.dialect, inbox, [row]))
