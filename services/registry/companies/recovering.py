"""Registrations are announced again, and restored from their events after the database was restored from a backup."""

from dataclasses import replace
from uuid import UUID

from services.registry.companies import store
from services.registry.companies.domain.life_cycle import Status
from services.registry.companies.expiring import schedule_expiry
from services.registry.companies.store import find_registration, registration_by_id
from services.registry.companies.views import approved, standing, status_changed
from shared.contracts.registry.registrations import (
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationStatusChanged,
    RegistrationSuspended,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.reannounces("registration", store.ever_registered)
async def announce_registration(exporter_id: UUID, work: Work) -> None:
    """Announces the last approval of a registration, and a suspension, reinstatement or expiry after it."""
    registration = await registration_by_id(work, exporter_id)
    work.announce(approved(registration, work))
    if registration.standing_version > registration.approved_version:
        work.announce(standing(registration, work))


@router.reannounces("registration-status", store.every_registration)
async def announce_status(exporter_id: UUID, work: Work) -> None:
    """Announces the status of a registration again."""
    work.announce(status_changed(await registration_by_id(work, exporter_id), work))


@router.on_replay(RegistrationApproved)
async def restore_approval(event: RegistrationApproved, work: Work) -> None:
    """Restores an approval of a registration that the backup knows.

    A registration that the backup does not know stays lost: no event holds its documents. Its id is never given again.
    """
    if registration := await find_registration(work, event.exporter_id):
        registration.particulars = replace(registration.particulars, company_name=event.name)
        registration.restore_approval(event.valid_from, event.valid_until, event.version)
        schedule_expiry(registration, work)


@router.on_replay(RegistrationSuspended)
async def restore_suspension(event: RegistrationSuspended, work: Work) -> None:
    """Restores a suspension."""
    await restore_standing(event.exporter_id, Status.SUSPENDED, event.version, work)


@router.on_replay(RegistrationReinstated)
async def restore_reinstatement(event: RegistrationReinstated, work: Work) -> None:
    """Restores a reinstatement."""
    await restore_standing(event.exporter_id, Status.ACTIVE, event.version, work)


@router.on_replay(RegistrationExpired)
async def restore_expiry(event: RegistrationExpired, work: Work) -> None:
    """Restores an expiry."""
    await restore_standing(event.exporter_id, Status.EXPIRED, event.version, work)


@router.on_replay(RegistrationStatusChanged)
async def restore_version(event: RegistrationStatusChanged, work: Work) -> None:
    """Restores the version of a registration. No event holds what an applicant wrote or an officer remarked since."""
    if registration := await find_registration(work, event.exporter_id):
        registration.restore_version(event.version)


async def restore_standing(exporter_id: UUID, status: Status, version: int, work: Work) -> None:
    """Restores the status of a registration at a version."""
    if registration := await find_registration(work, exporter_id):
        registration.restore_standing(status, version)
