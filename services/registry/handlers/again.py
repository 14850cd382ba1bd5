"""Said and heard again: registrations for a listener that has lost them, and for registry, come back from an older copy."""

from dataclasses import replace
from uuid import UUID

from services.registry.domain.registration import Registration, Status
from services.registry.handlers.reminding import watch_the_year
from services.registry.store import registrations
from services.registry.store.registrations import find_registration, registration_by_id
from services.registry.views import approved, standing
from shared.contracts.registry.registrations import (
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationSuspended,
)
from shared.router import Router
from shared.work import Work

router = Router()


@router.reannounces("registration", registrations.ever_registered)
async def announce_registration(exporter_id: UUID, work: Work) -> None:
    """A company was registered for a year; and where it stands otherwise since, how."""
    registration = await registration_by_id(work, exporter_id)
    work.announce(approved(registration, work))
    if registration.standing_version > registration.approved_version:
        work.announce(standing(registration, work))


@router.reads_back(RegistrationApproved)
async def remember_approval(event: RegistrationApproved, work: Work) -> None:
    """A company that had only applied in the older copy, or whose former year it knows, was registered.

    One that the copy does not know at all stays lost: its papers are not in any event. Its id is never given again.
    """
    if registration := await find_registration(work, event.exporter_id):
        registration.particulars = replace(registration.particulars, company_name=event.name)
        registration.was_approved(event.valid_from, event.valid_until, event.version)
        watch_the_year(registration, work)


@router.reads_back(RegistrationSuspended)
async def remember_suspension(event: RegistrationSuspended, work: Work) -> None:
    """A company was suspended."""
    await remember(event.exporter_id, Status.SUSPENDED, event.version, work)


@router.reads_back(RegistrationReinstated)
async def remember_reinstatement(event: RegistrationReinstated, work: Work) -> None:
    """A company was reinstated."""
    await remember(event.exporter_id, Status.ACTIVE, event.version, work)


@router.reads_back(RegistrationExpired)
async def remember_expiry(event: RegistrationExpired, work: Work) -> None:
    """The year of a company was over."""
    await remember(event.exporter_id, Status.EXPIRED, event.version, work)


async def remember(exporter_id: UUID, status: Status, version: int, work: Work) -> None:
    """Notes how a company stood at a version."""
    registration: Registration | None = await find_registration(work, exporter_id)
    if registration:
        registration.was(status, version)
