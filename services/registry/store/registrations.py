"""Registrations with their history and their reminders, as they are kept."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select

from services.registry.domain.registration import Act, Registration, RegistrationNotFound, Status, TaxNumberTaken
from services.registry.domain.reminders import Outcome
from services.registry.store.tables import registration_acts, registrations, reminders
from shared.database.tables import lost_keys
from shared.handling.actor import Actor
from shared.handling.work import Work

REGISTERED = "registered"

ever_registered = select(registrations.c.exporter_id).where(registrations.c.valid_until.is_not(None))
suspended_registrations = select(registrations.c.exporter_id).where(registrations.c.status == Status.SUSPENDED)
expired_registrations = select(registrations.c.exporter_id).where(registrations.c.status == Status.EXPIRED)


async def registration_by_id(work: Work, exporter_id: UUID, *, to_change: bool = True) -> Registration:
    """The registration of an exporter, held by whoever may change it. Raises RegistrationNotFound."""
    found = await find_registration(work, exporter_id, to_change=to_change)
    if found is None:
        raise RegistrationNotFound("exporter_id", registration=exporter_id)
    return found


async def find_registration(work: Work, exporter_id: UUID, *, to_change: bool = True) -> Registration | None:
    """The registration of an exporter, or None."""
    return await work.session.get(Registration, exporter_id, with_for_update=to_change and work.may_write)


async def find_by_tax_number(work: Work, tax_number: str) -> UUID | None:
    """The exporter with this tax number, or None; one that was refused has left it to others."""
    mine = registrations.c.tax_number == tax_number, registrations.c.status != Status.REFUSED
    return await work.session.scalar(select(registrations.c.exporter_id).where(*mine))


async def tax_number_must_be_free(work: Work, tax_number: str) -> None:
    """Raises TaxNumberTaken."""
    if await find_by_tax_number(work, tax_number):
        raise TaxNumberTaken("tax_number")


async def was_lost(work: Work, exporter_id: UUID) -> bool:
    """Whether others know this registration, and it was lost here."""
    lost = select(lost_keys.c.key).where(lost_keys.c.fact == REGISTERED, lost_keys.c.key == str(exporter_id))
    return await work.session.scalar(lost) is not None


async def note_act(registration: Registration, act: Act, work: Work, by: Actor | None, **details: Any) -> None:
    """Puts an act that was just done into the history, for good; what the calendar does is done by nobody."""
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


async def decide_reminder(work: Work, exporter_id: UUID, valid_until: date, days_before: int, outcome: Outcome) -> bool:
    """Keeps what becomes of a reminder; says whether it was not decided before."""
    row = {"exporter_id": exporter_id, "valid_until": valid_until, "days_before": days_before}
    row |= {"outcome": outcome, "decided_at": work.now}
    return bool(await work.insert_new(reminders, [row]))
