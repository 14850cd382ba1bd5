"""Reminders before a registration ends, and its expiry."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from services.registry.companies.domain.life_cycle import Act
from services.registry.companies.domain.registration import Registration
from services.registry.companies.domain.reminders import OVER, Outcome, outcome_of, over_at
from services.registry.companies.reference_data import ReferenceData
from services.registry.companies.reminder_emails import reminder_email
from services.registry.companies.store import registration_by_id, save_act, save_reminder
from services.registry.companies.views import standing, status_changed
from services.registry.mail.sending import send_later
from services.registry.mail.templates import EmailTemplates
from shared.contracts.fields import Instant
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class RemindOfExpiry(Task):
    """Remind a company of the end of its registration, unless the reminder is late or no longer needed."""

    kind: ClassVar[str] = "remind_of_expiry"
    exporter_id: UUID
    valid_until: date
    days_before: int
    overtaken_at: Instant


class ExpireRegistration(Task):
    """Expire a registration after its last day."""

    kind: ClassVar[str] = "expire_registration"
    exporter_id: UUID
    valid_until: date


def schedule_expiry(registration: Registration, work: Work) -> None:
    """Schedules the reminders of a registration that are still to come, and its expiry."""
    exporter_id, (_, valid_until) = registration.exporter_id, registration.validity
    schedule, zone = work.use(ReferenceData).schedule(work.today), work.zone
    for days in schedule.ahead(valid_until, work.now, zone):
        reminder = RemindOfExpiry(
            exporter_id=exporter_id,
            valid_until=valid_until,
            days_before=days,
            overtaken_at=schedule.overtaken_at(valid_until, days, zone),
        )
        work.later(reminder, key=f"{exporter_id}/{valid_until}/{days}", due_at=schedule.due_at(valid_until, days, zone))
    expiry = ExpireRegistration(exporter_id=exporter_id, valid_until=valid_until)
    work.later(expiry, key=f"{exporter_id}/{valid_until}", due_at=over_at(valid_until, zone))


@router.due(RemindOfExpiry)
async def remind_of_expiry(task: RemindOfExpiry, work: Work) -> None:
    """Reminds a company that its registration ends. Each reminder is decided once."""
    registration = await registration_by_id(work, task.exporter_id)

    outcome = outcome_of(task.valid_until, task.overtaken_at, registration.valid_until, work.now)

    is_new = await save_reminder(work, task.exporter_id, task.valid_until, task.days_before, outcome)
    if is_new and outcome is Outcome.SENT:
        send_reminder(registration, task.days_before, work)


@router.due(ExpireRegistration)
async def expire_registration(task: ExpireRegistration, work: Work) -> None:
    """A registration expires after its last day. Other services receive an event, and the company an e-mail."""
    registration = await registration_by_id(work, task.exporter_id)
    if registration.valid_until != task.valid_until or not registration.is_over(work.today):
        return

    registration.expire()

    await save_act(registration, Act.EXPIRE, work, by=None)
    work.announce(standing(registration, work))
    work.announce(status_changed(registration, work))
    if await save_reminder(work, task.exporter_id, task.valid_until, OVER, Outcome.SENT):
        send_reminder(registration, OVER, work)


def send_reminder(registration: Registration, days_before: int, work: Work) -> None:
    """Writes the e-mail and leaves it to a task, if the company has an e-mail address."""
    email = reminder_email(registration, days_before, work.use(EmailTemplates), today=work.today, now=work.now)
    if email.to:
        send_later(email, work)
