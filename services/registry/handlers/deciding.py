"""The officers' part: approve, return, refuse, suspend, reinstate."""

from services.registry.catalogue import Catalogue
from services.registry.domain.registration import Act
from services.registry.handlers.reminding import watch_the_year
from services.registry.store.registrations import note_act, registration_by_id
from services.registry.views import approved, standing, state_of
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
    """An officer registers the company for a year, or for another one."""
    registration = await registration_by_id(work, command.exporter_id)
    registration.must_be_as_seen(command.version)

    registration.approve(work.today, work.use(Catalogue).requirements(work.today))

    valid_from, valid_until = registration.validity
    await note_act(registration, Act.APPROVE, work, work.actor, valid_from=valid_from, valid_until=valid_until)
    watch_the_year(registration, work)
    work.announce(approved(registration, work))
    return state_of(registration, work)


@router.answers(ReturnRegistration)
async def return_registration(command: ReturnRegistration, work: Work) -> RegistrationState:
    """An officer gives the application back for correction, saying what to correct."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.give_back(command.remarks)

    await note_act(registration, Act.RETURN, work, work.actor, remarks=command.remarks)
    return state_of(registration, work)


@router.answers(RefuseRegistration)
async def refuse_registration(command: RefuseRegistration, work: Work) -> RegistrationState:
    """An officer refuses the application, with the reason."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.refuse(command.reason)

    await note_act(registration, Act.REFUSE, work, work.actor, remarks=command.reason)
    return state_of(registration, work)


@router.answers(SuspendRegistration)
async def suspend_registration(command: SuspendRegistration, work: Work) -> RegistrationState:
    """An officer suspends a registration: nothing can be submitted until it is reinstated."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.suspend(command.reason)

    await note_act(registration, Act.SUSPEND, work, work.actor, remarks=command.reason)
    work.announce(standing(registration, work))
    return state_of(registration, work)


@router.answers(ReinstateRegistration)
async def reinstate_registration(command: ReinstateRegistration, work: Work) -> RegistrationState:
    """An officer reinstates a suspended registration; its year is not prolonged."""
    registration = await registration_by_id(work, command.exporter_id)

    registration.reinstate()

    await note_act(registration, Act.REINSTATE, work, work.actor, remarks=command.reason)
    work.announce(standing(registration, work))
    return state_of(registration, work)
