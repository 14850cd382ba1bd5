"""The calendar's part: reminders before a registration ends, and its end."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from services.registry.catalogue import Catalogue
from services.registry.domain.registration import Act, Registration
from services.registry.domain.reminders import OVER, Outcome, outcome_of, over_at
from services.registry.letters import letter_about_the_end
from services.registry.post import Letter, Post
from services.registry.store.registrations import decide_reminder, note_act, registration_by_id
from services.registry.views import standing
from shared.contracts.fields import Instant
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class RemindOfExpiry(Task):
    """Remind a company of the end of its year, unless it comes too late or is not needed any more."""

    kind: ClassVar[str] = "remind_of_expiry"
    exporter_id: UUID
    valid_until: date
    days_before: int
    overtaken_at: Instant


class ExpireRegistration(Task):
    """The year of a company is over."""

    kind: ClassVar[str] = "expire_registration"
    exporter_id: UUID
    valid_until: date


class SendLetter(Task):
    """Hand a letter over to the mail server. It is kept as it was written, so that it is the same however often it is tried."""

    kind: ClassVar[str] = "send_letter"
    letter_id: str
    to: str
    subject: str
    text: str
    written_at: Instant


def watch_the_year(registration: Registration, work: Work) -> None:
    """Leaves for later what the year of a registration brings: the reminders that are still to come, and its end."""
    exporter_id, (_, valid_until) = registration.exporter_id, registration.validity
    schedule, zone = work.use(Catalogue).schedule(work.today), work.zone
    for days in schedule.ahead(valid_until, work.now, zone):
        task = RemindOfExpiry(
            exporter_id=exporter_id,
            valid_until=valid_until,
            days_before=days,
            overtaken_at=schedule.overtaken_at(valid_until, days, zone),
        )
        work.later(task, key=f"{exporter_id}/{valid_until}/{days}", due_at=schedule.due_at(valid_until, days, zone))
    over = ExpireRegistration(exporter_id=exporter_id, valid_until=valid_until)
    work.later(over, key=f"{exporter_id}/{valid_until}", due_at=over_at(valid_until, zone))


@router.due(RemindOfExpiry)
async def remind_of_expiry(task: RemindOfExpiry, work: Work) -> None:
    """A company is told that its year ends, how many days are left, and what to do; each reminder is decided once."""
    registration = await registration_by_id(work, task.exporter_id)

    outcome = outcome_of(task.valid_until, task.overtaken_at, registration.valid_until, work.now)

    is_new = await decide_reminder(work, task.exporter_id, task.valid_until, task.days_before, outcome)
    if is_new and outcome is Outcome.SENT:
        write(registration, task.days_before, work)


@router.due(ExpireRegistration)
async def expire_registration(task: ExpireRegistration, work: Work) -> None:
    """The last day has passed: everybody who must hears of it, and the company is told what to do."""
    registration = await registration_by_id(work, task.exporter_id)
    if registration.valid_until != task.valid_until or not registration.is_over(work.today):
        return

    registration.expire()

    await note_act(registration, Act.EXPIRE, work, by=None)
    work.announce(standing(registration, work))
    if await decide_reminder(work, task.exporter_id, task.valid_until, OVER, Outcome.SENT):
        write(registration, OVER, work)


@router.due(SendLetter)
async def send_letter(task: SendLetter, work: Work) -> None:
    """A letter goes to the mail server; one that was taken just before a crash goes again, under the same Message-ID."""
    await work.between_transactions(work.use(Post).send, Letter(**task.model_dump()))


def write(registration: Registration, days_before: int, work: Work) -> None:
    """Writes the letter, and leaves it to be sent, where the company has named an address."""
    letter = letter_about_the_end(registration, days_before, work.use(Catalogue).words, work.today, work.now)
    if letter.to:
        work.later(SendLetter(**vars(letter)), key=letter.letter_id)
