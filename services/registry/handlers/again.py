"""Said and heard again: registrations and mandates for a listener that has lost them, and for registry, come back from an
older copy."""

from dataclasses import replace
from uuid import UUID

from services.registry.domain.mandate import Mandate, Side
from services.registry.domain.mandate import Status as MandateStatus
from services.registry.domain.registration import Registration, Status
from services.registry.handlers.mandates import granted, revoked
from services.registry.handlers.reminding import watch_the_year
from services.registry.store import mandates, registrations, sessions
from services.registry.store.registrations import find_registration, registration_by_id
from services.registry.views import approved, standing
from shared.contracts.registry.identity import SessionRevoked
from shared.contracts.registry.mandates import MandateGranted, MandateRevoked
from shared.contracts.registry.registrations import (
    RegistrationApproved,
    RegistrationExpired,
    RegistrationReinstated,
    RegistrationSuspended,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.reannounces("registration", registrations.ever_registered)
async def announce_registration(exporter_id: UUID, work: Work) -> None:
    """A company was registered for a year; and where it stands otherwise since, how."""
    registration = await registration_by_id(work, exporter_id)
    work.announce(approved(registration, work))
    if registration.standing_version > registration.approved_version:
        work.announce(standing(registration, work))


@router.on_replay(RegistrationApproved)
async def remember_approval(event: RegistrationApproved, work: Work) -> None:
    """A company that had only applied in the older copy, or whose former year it knows, was registered.

    One that the copy does not know at all stays lost: its papers are not in any event. Its id is never given again.
    """
    if registration := await find_registration(work, event.exporter_id):
        registration.particulars = replace(registration.particulars, company_name=event.name)
        registration.was_approved(event.valid_from, event.valid_until, event.version)
        watch_the_year(registration, work)


@router.on_replay(RegistrationSuspended)
async def remember_suspension(event: RegistrationSuspended, work: Work) -> None:
    """A company was suspended."""
    await remember(event.exporter_id, Status.SUSPENDED, event.version, work)


@router.on_replay(RegistrationReinstated)
async def remember_reinstatement(event: RegistrationReinstated, work: Work) -> None:
    """A company was reinstated."""
    await remember(event.exporter_id, Status.ACTIVE, event.version, work)


@router.on_replay(RegistrationExpired)
async def remember_expiry(event: RegistrationExpired, work: Work) -> None:
    """The year of a company was over."""
    await remember(event.exporter_id, Status.EXPIRED, event.version, work)


async def remember(exporter_id: UUID, status: Status, version: int, work: Work) -> None:
    """Notes how a company stood at a version."""
    registration: Registration | None = await find_registration(work, exporter_id)
    if registration:
        registration.was(status, version)


@router.reannounces("mandate", mandates.once_granted)
async def announce_mandate(mandate_id: UUID, work: Work) -> None:
    """An agent may act for an exporter; or might, until either ended it."""
    mandate = await mandates.mandate_by_id(work, mandate_id)
    work.announce(granted(mandate, work))
    if mandate.status is MandateStatus.REVOKED:
        work.announce(revoked(mandate, work))


@router.on_replay(MandateGranted)
async def remember_mandate(event: MandateGranted, work: Work) -> None:
    """A mandate that was only proposed in the older copy, or is not in it at all, was granted."""
    mandate = await mandates.find_mandate(work, event.mandate_id)
    if mandate is None:
        mandate = Mandate(
            event.mandate_id,
            event.exporter_id,
            event.agent_id,
            sorted(event.scope),
            event.valid_until,
            Side.EXPORTER,
            version=0,
        )
        work.session.add(mandate)
    mandate.was_granted(event.occurred_at, event.version)


@router.on_replay(MandateRevoked)
async def remember_revocation(event: MandateRevoked, work: Work) -> None:
    """A mandate was ended: nobody acts under it again, whatever the older copy says."""
    if mandate := await mandates.find_mandate(work, event.mandate_id):
        mandate.was_revoked(event.occurred_at, event.version)


@router.on_replay(SessionRevoked)
async def remember_end_of_session(event: SessionRevoked, work: Work) -> None:
    """A session was over, or an API key was revoked: neither comes back to life with the older copy."""
    if session := await sessions.find_session(work, event.session_id):
        session.ended_at = session.ended_at or event.occurred_at
    if key := await mandates.find_api_key(work, event.session_id):
        key.revoke(event.occurred_at)
