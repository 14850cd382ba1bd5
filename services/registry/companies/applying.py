"""A company applies for registration, corrects the application, hands it in again, and renews."""

from contextlib import suppress
from uuid import uuid4

from services.registry.companies.domain.life_cycle import Act
from services.registry.companies.domain.particulars import Particulars
from services.registry.companies.domain.refusals import ApplicationIdTaken, TaxNumberTaken
from services.registry.companies.domain.registration import Registration
from services.registry.companies.reference_data import ReferenceData
from services.registry.companies.store import (
    acts_of,
    find_applicant,
    find_registration,
    registration_by_id,
    save_act,
    tax_number_must_be_free,
    was_lost,
)
from services.registry.companies.views import given_particulars, state_of, status_changed
from services.registry.identity.domain.password import must_be_hard_to_guess
from services.registry.identity.domain.session import SignInDelayed
from services.registry.identity.domain.user import COMPANY_ROLES, EmailTaken, User
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.store import attempts, users
from shared.contracts.registry import particulars as contracts
from shared.contracts.registry.registration_history import GetRegistrationHistory, RegistrationAct, RegistrationHistory
from shared.contracts.registry.registrations import (
    ApplyForRegistration,
    CorrectRegistration,
    GetRegistration,
    HandInRegistration,
    RegistrationState,
    RenewRegistration,
)
from shared.handling.actor import Actor
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ApplyForRegistration)
async def apply_for_registration(command: ApplyForRegistration, work: Work) -> RegistrationState:
    """A company applies for registration. The same application sent twice is one, even at the same time."""
    if known := await applied_before(command, work):
        return state_of(known, work)
    if await was_lost(work, command.exporter_id):
        raise ApplicationIdTaken("exporter_id")
    fields = set(contracts.Particulars.model_fields)
    given = command.model_dump(include=fields) | {"contact_email": command.contact_email or command.email}
    particulars = given_particulars(contracts.Particulars.model_validate(given))
    must_be_sound(particulars, work)
    must_be_hard_to_guess(command.password, command.administrator_name, command.email)
    password_hash = await work.between_transactions(work.use(Passwords).hash, command.password)
    if known := await applied_before(command, work):  # at the same time
        return state_of(known, work)
    try:
        await users.email_must_be_free(work, command.email)
        await tax_number_must_be_free(work, command.tax_number)
    except (EmailTaken, TaxNumberTaken):
        if known := await applied_before(command, work):  # committed since the check above
            return state_of(known, work)
        raise

    registration = Registration(exporter_id=command.exporter_id, particulars=particulars, tax_number=command.tax_number)
    administrator = User(
        user_id=uuid4(),
        name=command.administrator_name,
        email=command.email,
        password_hash=password_hash,
        organisation=str(command.exporter_id),
        roles=sorted(COMPANY_ROLES),  # the applicant has every role until colleagues join (ours)
    )
    work.session.add_all([registration, administrator])
    await save_act(registration, Act.APPLY, work, Actor(user_id=administrator.user_id, organisation=administrator.organisation))
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


async def applied_before(command: ApplyForRegistration, work: Work) -> Registration | None:
    """The registration, if the applicant sends the same application again. Raises ApplicationIdTaken for all others.

    Only the applicant's own password proves it. All others get the same refusal, whatever e-mail address they give.
    """
    registration = await find_registration(work, command.exporter_id, to_change=False)
    if registration is None:
        return None
    async with work.use(Passwords).turn(work):
        if not await is_of_applicant(command, work):
            raise ApplicationIdTaken("exporter_id")
    await work.session.refresh(registration)
    return registration


async def is_of_applicant(command: ApplyForRegistration, work: Work) -> bool:
    """Whether the applicant sends this, with the password that they sign in with.

    It counts as an attempt to sign in, also for an unknown e-mail address, and takes as long. So nobody guesses passwords
    or finds accounts this way. During a delay no password is right.
    """
    applicant = await find_applicant(work, command.exporter_id, command.email)
    user_id, password_hash = (applicant.user_id, applicant.password_hash) if applicant else (None, None)
    counted = None
    with suppress(SignInDelayed):
        counted = await attempts.count_attempt(work, attempts.of_account(command.email))

    verdict = await work.between_transactions(work.use(Passwords).verify, password_hash if counted else None, command.password)

    if user_id is None or counted is None or not verdict.right:
        return False
    user = await users.find_user(work, user_id)
    if user is None or user.password_hash != password_hash or not user.may_sign_in:  # changed meanwhile
        return False
    user.password_hash = verdict.better_hash or user.password_hash
    await attempts.forgive_attempt(work, counted)
    return True


@router.answers(CorrectRegistration)
async def correct_registration(command: CorrectRegistration, work: Work) -> RegistrationState:
    """The applicant corrects the particulars of an application or a renewal."""
    work.actor.must_act_for(command.exporter_id)
    particulars = given_particulars(command.particulars)
    must_be_sound(particulars, work, "particulars.")
    registration = await registration_by_id(work, command.exporter_id)
    if command.tax_number not in (None, registration.tax_number):
        await tax_number_must_be_free(work, str(command.tax_number))

    registration.correct(particulars, command.tax_number)

    await save_act(registration, Act.CORRECT, work, work.actor)
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


@router.answers(HandInRegistration)
async def hand_in_registration(command: HandInRegistration, work: Work) -> RegistrationState:
    """The applicant hands in an application again after it was returned or refused."""
    work.actor.must_act_for(command.exporter_id)
    registration = await registration_by_id(work, command.exporter_id)
    if not registration.holds_tax_number:
        await tax_number_must_be_free(work, registration.tax_number)

    registration.hand_in()

    await save_act(registration, Act.HAND_IN, work, work.actor)
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


@router.answers(RenewRegistration)
async def renew_registration(command: RenewRegistration, work: Work) -> RegistrationState:
    """A company applies for another year."""
    work.actor.must_act_for(command.exporter_id)
    particulars = given_particulars(command.particulars) if command.particulars else None
    if particulars:
        must_be_sound(particulars, work, "particulars.")
    registration = await registration_by_id(work, command.exporter_id)

    registration.renew(work.today, particulars, work.use(ReferenceData).requirements(work.today))

    await save_act(registration, Act.RENEW, work, work.actor)
    work.announce(status_changed(registration, work))
    return state_of(registration, work)


@router.answers(GetRegistration)
async def get_registration(question: GetRegistration, work: Work) -> RegistrationState:
    """Shows a registration to its company or an officer."""
    work.actor.may_read(question.exporter_id, *question.read_by)
    return state_of(await registration_by_id(work, question.exporter_id), work)


@router.answers(GetRegistrationHistory)
async def get_registration_history(question: GetRegistrationHistory, work: Work) -> RegistrationHistory:
    """Shows the acts on a registration, with their actors and times."""
    work.actor.may_read(question.exporter_id, *question.read_by)
    await registration_by_id(work, question.exporter_id)
    rows = await acts_of(work, question.exporter_id, question.before, question.limit + 1)
    page = rows[: question.limit]
    following = page[-1].version if len(rows) > len(page) else None
    return RegistrationHistory(
        exporter_id=question.exporter_id,
        acts=[RegistrationAct.model_validate(dict(row._mapping)) for row in page],
        go_on_before=following,
        next=following,
    )


def must_be_sound(particulars: Particulars, work: Work, at: str = "") -> None:
    """Raises LatinNeeded, BirthdayInFuture or DistrictUnknown. `at` is the path before the field."""
    particulars.must_be_sound(work.today, at)
    work.use(ReferenceData).must_know(particulars, f"{at}district")
