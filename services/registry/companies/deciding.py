"""Officers decide on registrations: they approve, return, refuse, suspend and reinstate."""

from services.registry.companies.domain.life_cycle import Act
from services.registry.companies.expiring import schedule_expiry
from services.registry.companies.reference_data import ReferenceData
from services.registry.companies.store import registration_by_id, save_act
from services.registry.companies.views import approved, standing, state_of, status_changed
from shared.contracts.registry.registrations import (
    ApproveRegistration,
    RefuseRegistration,
    RegistrationState,
    ReinstateRegistration,
    ReturnRegistration,
    SuspendRegistration,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ApproveRegistration)
async def approve_registration(command: ApproveRegistration, work: Work) -> RegistrationState:
    """An officer registers a company for a year, or for another one."""
    registration = await registration_by_id(work, command.exporter_id)
    registration.must_be_as_seen(command.version)

    registration.approve(work.today, work.use(ReferenceData).requirements(work.today))

    valid_from, valid_until = registration.validity
    await save_act(registration, Act.APPROVE, work, work.actor, valid_from=valid_from, valid_until=valid_until)
    schedule_expiry(registration, work)
    work.announce(approved(registration, work))
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


@router.answers(ReturnRegistration)
async def return_registration(command: ReturnRegistration, work: Work) -> RegistrationState:
    """An officer returns an application for correction, with remarks."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.return_for_correction(command.remarks)

    await save_act(registration, Act.RETURN, work, work.actor, remarks=command.remarks)
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


@router.answers(RefuseRegistration)
async def refuse_registration(command: RefuseRegistration, work: Work) -> RegistrationState:
    """An officer refuses an application, with the reason."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.refuse(command.reason)

    await save_act(registration, Act.REFUSE, work, work.actor, remarks=command.reason)
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


@router.answers(SuspendRegistration)
async def suspend_registration(command: SuspendRegistration, work: Work) -> RegistrationState:
    """An officer suspends a registration. The company cannot submit certificates until it is reinstated."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.suspend(command.reason)

    await save_act(registration, Act.SUSPEND, work, work.actor, remarks=command.reason)
    work.announce(standing(registration, work))
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


@router.answers(ReinstateRegistration)
async def reinstate_registration(command: ReinstateRegistration, work: Work) -> RegistrationState:
    """An officer reinstates a suspended registration. Its last day stays the same."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.reinstate()

    await save_act(registration, Act.REINSTATE, work, work.actor, remarks=command.reason)
    work.announce(standing(registration, work))
    work.announce(status_changed(registration, work))
    return state_of(registration, work)
