"""Registrations with their history and their reminders."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, literal, or_, select

from services.registry.companies.domain.life_cycle import Act, Asked, Status
from services.registry.companies.domain.refusals import RegistrationNotFound, TaxNumberTaken
from services.registry.companies.domain.registration import Registration
from services.registry.companies.domain.reminders import Outcome
from services.registry.companies.tables import by_name, registration_acts, registrations, reminders
from services.registry.identity.domain.user import Status as UserStatus
from services.registry.identity.domain.user import User
from services.registry.identity.store.second_factors import shows_second_factor
from services.registry.identity.tables import users
from shared.database.column_types import UtcDateTime
from shared.database.paging import By, page_of
from shared.database.tables import lost_keys
from shared.handling.actor import Actor
from shared.handling.work import Work

REGISTERED = "registered"

ever_registered = select(registrations.c.exporter_id).where(registrations.c.valid_until.is_not(None))
suspended_registrations = select(registrations.c.exporter_id).where(registrations.c.status == Status.SUSPENDED)
expired_registrations = select(registrations.c.exporter_id).where(registrations.c.status == Status.EXPIRED)
every_registration = select(registrations.c.exporter_id)

_waits = or_(registrations.c.status == Status.APPLIED, registrations.c.asked == Asked.APPLIED)
# Without an instant, as a former release wrote it, an application is the first in the queue and not missing from it.
_waiting_since = func.coalesce(registrations.c.waiting_since, literal(datetime(2000, 1, 1, tzinfo=UTC), UtcDateTime))


async def registration_by_id(work: Work, exporter_id: UUID, *, to_change: bool = True) -> Registration:
    """The registration of an exporter, locked unless `to_change` is False. Raises RegistrationNotFound."""
    found = await find_registration(work, exporter_id, to_change=to_change)
    if found is None:
        raise RegistrationNotFound("exporter_id", registration=exporter_id)
    return found


async def find_registration(work: Work, exporter_id: UUID, *, to_change: bool = True) -> Registration | None:
    """The registration of an exporter, or None."""
    return await work.session.get(Registration, exporter_id, with_for_update=to_change and work.may_write)


async def find_by_tax_number(work: Work, tax_number: str) -> UUID | None:
    """The exporter with this tax number, or None. A refused registration does not hold its tax number."""
    holder = registrations.c.tax_number == tax_number, registrations.c.status != Status.REFUSED
    return await work.session.scalar(select(registrations.c.exporter_id).where(*holder))


async def names_of(work: Work, exporter_ids: set[UUID]) -> dict[UUID, str]:
    """The names of companies, by their exporter ids."""
    named = select(registrations.c.exporter_id, registrations.c.company_name)
    rows = await work.session.execute(named.where(registrations.c.exporter_id.in_(exporter_ids)))
    return {row.exporter_id: row.company_name for row in rows}


async def tax_number_must_be_free(work: Work, tax_number: str) -> None:
    """Raises TaxNumberTaken."""
    if await find_by_tax_number(work, tax_number):
        raise TaxNumberTaken("tax_number")


async def find_applicant(work: Work, exporter_id: UUID, email: str) -> User | None:
    """The person who applied for this registration, if this is their e-mail address and they have no second factor.

    One statement, so that it takes as long for unknown people.
    """
    acts = registration_acts.c
    applied = select(User).join(registration_acts, acts.user_id == users.c.user_id)
    theirs = acts.exporter_id == exporter_id, acts.act == Act.APPLY, users.c.organisation == str(exporter_id)
    password_only = users.c.email == email, users.c.status == UserStatus.ACTIVE, ~shows_second_factor()
    return (await work.session.scalars(applied.where(*theirs, *password_only))).first()


async def was_lost(work: Work, exporter_id: UUID) -> bool:
    """Whether other services know this registration but this database has lost it."""
    lost = select(lost_keys.c.key).where(lost_keys.c.fact == REGISTERED, lost_keys.c.key == str(exporter_id))
    return await work.session.scalar(lost) is not None


async def save_act(registration: Registration, act: Act, work: Work, by: Actor | None, **details: Any) -> None:
    """Adds an act to the history, and notes since when the registration waits. An expiry has no actor."""
    registration.note_waiting(work.now)
    row = {"exporter_id": registration.exporter_id, "version": registration.version, "act": act, "at": work.now}
    if by:
        row |= {"user_id": by.user_id, "organisation": by.organisation}
    await work.session.execute(insert(registration_acts).values(row | details))


async def acts_of(work: Work, exporter_id: UUID, before: int | None, limit: int) -> Sequence[Row[Any]]:
    """The acts on a registration, the latest first."""
    acts = select(registration_acts).where(registration_acts.c.exporter_id == exporter_id)
    if before is not None:
        acts = acts.where(registration_acts.c.version < before)
    return (await work.session.execute(acts.order_by(registration_acts.c.version.desc()).limit(limit))).all()


async def list_registrations(
    work: Work, *, status: str | None, waiting: bool, search: str | None, after: str | None, limit: int
) -> tuple[list[Registration], str | None]:
    """A page of registrations, by name or by the wait, and the cursor of the next page. Raises CursorMalformed."""
    wanted = select(Registration)
    if status is not None:
        wanted = wanted.where(registrations.c.status == status)
    if waiting:
        wanted = wanted.where(_waits)
    if search is not None:  # reads every name: there are some thousand companies
        names = registrations.c.company_name, registrations.c.company_name_km
        named = [name.icontains(search, autoescape=True) for name in names]
        numbered = registrations.c.tax_number.istartswith(search, autoescape=True)
        wanted = wanted.where(or_(*named, numbered))
    columns = (_waiting_since, registrations.c.exporter_id) if waiting else by_name
    rows, following = await page_of(work.session, wanted, [By(column) for column in columns], after, limit)
    return [row.Registration for row in rows], following


async def count_registrations(work: Work) -> dict[str, int]:
    """The number of registrations of each status."""
    counted = select(registrations.c.status, func.count().label("number")).group_by(registrations.c.status)
    return dict.fromkeys(Status, 0) | {row.status: row.number for row in await work.session.execute(counted)}


async def count_waiting(work: Work) -> tuple[int, datetime | None]:
    """The number of registrations that wait for an officer, and since when the longest waits."""
    waiting = select(func.count(), func.min(registrations.c.waiting_since)).where(_waits)
    number, since = (await work.session.execute(waiting)).one()
    return number, since


async def save_reminder(work: Work, exporter_id: UUID, valid_until: date, days_before: int, outcome: Outcome) -> bool:
    """Saves the outcome of a reminder. Returns False if it was decided before."""
    row = {"exporter_id": exporter_id, "valid_until": valid_until, "days_before": days_before}
    row |= {"outcome": outcome, "decided_at": work.now}
    return bool(await work.insert_new(reminders, [row]))
