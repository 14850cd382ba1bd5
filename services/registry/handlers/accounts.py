"""Accounts: officers and colleagues are invited, change what they may do, and leave."""

from uuid import UUID, uuid4

from services.registry.catalogue import Catalogue
from services.registry.domain.user import (
    MOST_COLLEAGUES,
    NotRegisteredYet,
    PasswordNotYoursToChoose,
    Status,
    TooManyColleagues,
    User,
    UserIdTaken,
    UserNotFound,
    must_be_givable,
)
from services.registry.handlers.letters import SendInvitation
from services.registry.passwords import Passwords
from services.registry.settings import Issuer
from services.registry.store import sessions, users
from services.registry.store.links import INVITATION, RESET, forget_links
from services.registry.store.registrations import registration_by_id
from services.registry.store.second_factors import find_second_factor, forget_second_factor
from shared.contracts.registry.users import (
    AddUser,
    ChangeColleagueRoles,
    ChangeOfficerRoles,
    DeactivateColleague,
    DeactivateOfficer,
    InviteColleague,
    InviteOfficer,
    ListedUser,
    ListUsers,
    RemoveSecondFactor,
    TransferOfficer,
    Users,
    UserState,
)
from shared.contracts.roles import Role
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(AddUser)
async def add_user(command: AddUser, work: Work) -> UserState:
    """Nobody chooses another's password."""
    raise PasswordNotYoursToChoose("password")


@router.answers(InviteOfficer)
async def invite_officer(command: InviteOfficer, work: Work) -> UserState:
    """An administrator invites an officer to an office."""
    must_be_givable(set(command.roles), to_company=False)
    work.use(Catalogue).must_know_office(command.office, set(command.roles), work.today)
    return await invited(command, command.office, work)


@router.answers(InviteColleague)
async def invite_colleague(command: InviteColleague, work: Work) -> UserState:
    """A company's administrator invites a colleague."""
    must_be_givable(set(command.roles), to_company=True)
    if await users.find_user(work, command.user_id) is None:
        await must_have_room_for_colleague(work.actor.organisation, work)
    return await invited(command, work.actor.organisation, work)


@router.answers(ChangeOfficerRoles)
async def change_officer_roles(command: ChangeOfficerRoles, work: Work) -> UserState:
    """An officer may do other things from now on; they sign in anew."""
    officer = await officer_by_id(work, command.user_id)

    officer.change_roles(set(command.roles), by=work.actor.must_have_id())

    await sessions.end_sessions_of(work, officer.user_id)
    return await state_of(officer, work)


@router.answers(ChangeColleagueRoles)
async def change_colleague_roles(command: ChangeColleagueRoles, work: Work) -> UserState:
    """A colleague may do other things from now on; they sign in anew."""
    colleague = await colleague_by_id(work, command.user_id)

    colleague.change_roles(set(command.roles), by=work.actor.must_have_id())

    await sessions.end_sessions_of(work, colleague.user_id)
    return await state_of(colleague, work)


@router.answers(TransferOfficer)
async def transfer_officer(command: TransferOfficer, work: Work) -> UserState:
    """An officer goes to another office; they sign in anew."""
    officer = await officer_by_id(work, command.user_id)
    work.use(Catalogue).must_know_office(command.office, set(officer.roles), work.today)

    officer.transfer(command.office, by=work.actor.must_have_id())

    await sessions.end_sessions_of(work, officer.user_id)
    return await state_of(officer, work)


@router.answers(DeactivateOfficer)
async def deactivate_officer(command: DeactivateOfficer, work: Work) -> UserState:
    """An officer leaves; whatever they are signed in with ends at once."""
    return await deactivated(await officer_by_id(work, command.user_id), work)


@router.answers(DeactivateColleague)
async def deactivate_colleague(command: DeactivateColleague, work: Work) -> UserState:
    """A colleague leaves; whatever they are signed in with ends at once."""
    return await deactivated(await colleague_by_id(work, command.user_id), work)


@router.answers(RemoveSecondFactor)
async def remove_second_factor(command: RemoveSecondFactor, work: Work) -> UserState:
    """An officer has lost the authenticator and the recovery codes, and sets up another."""
    officer = await officer_by_id(work, command.user_id)

    officer.lose_second_factor(by=work.actor.must_have_id())

    await forget_second_factor(work, officer.user_id)
    await sessions.end_sessions_of(work, officer.user_id)
    return await state_of(officer, work)


@router.answers(ListUsers)
async def list_users(question: ListUsers, work: Work) -> Users:
    """Who has an account here?"""
    of_ministry = work.actor.roles & {Role.ADMINISTRATOR, Role.AUDITOR}
    page = await users.users_of(work, None if of_ministry else work.actor.organisation, question.after, question.limit)
    return Users(
        users=tuple(
            ListedUser(
                user_id=user.user_id,
                name=user.name,
                email=user.email,
                organisation=user.organisation,
                roles=user.roles,
                status=user.status,
                has_second_factor=has_second_factor,
            )
            for user, has_second_factor in page
        )
    )


@router.at_start
async def appoint_first_administrator(work: Work) -> None:
    """While nobody has an account, the ministry's administrator gets one, with the password from the secrets."""
    if await users.there_are_users(work):
        return
    issuer = work.use(Issuer)
    password_hash = await work.use(Passwords).hash(issuer.administrator_password)
    work.session.add(
        User(uuid4(), "Administrator", issuer.administrator_email, password_hash, issuer.head_office, ["administrator"])
    )


async def invited(command: InviteOfficer | InviteColleague, organisation: str, work: Work) -> UserState:
    """The person has an account that waits for them, and a letter is on its way; asked again, another letter."""
    user, roles = await users.find_user(work, command.user_id), sorted({role.value for role in command.roles})
    if user is None:
        await users.email_must_be_free(work, command.email)
        user = User(command.user_id, command.name, command.email, None, organisation, roles, Status.INVITED)
        work.session.add(user)
    elif (user.email, user.organisation, user.roles) == (command.email, organisation, roles):
        user.invited_again()
    else:
        raise UserIdTaken("user_id")
    work.later(SendInvitation(user_id=user.user_id), key=user.user_id)
    return await state_of(user, work)


async def must_have_room_for_colleague(company: str, work: Work) -> None:
    """Whoever has only applied has no letters sent to strangers. Raises NotRegisteredYet or TooManyColleagues."""
    registration = await registration_by_id(work, UUID(company))
    if not registration.was_ever_approved:
        raise NotRegisteredYet()
    if await users.open_accounts_of(work, company) >= MOST_COLLEAGUES:
        raise TooManyColleagues(most=MOST_COLLEAGUES)


async def deactivated(user: User, work: Work) -> UserState:
    """Closes an account with all that opens it."""
    user.deactivate(by=work.actor.must_have_id())

    await sessions.end_sessions_of(work, user.user_id)
    await forget_second_factor(work, user.user_id)
    for purpose in (INVITATION, RESET):
        await forget_links(work, user.user_id, purpose)
    return await state_of(user, work)


async def officer_by_id(work: Work, user_id: UUID) -> User:
    """An officer of the ministry, or a viewer of customs. Raises UserNotFound."""
    user = await users.user_by_id(work, user_id)
    if user.of_company:
        raise UserNotFound("user_id")
    return user


async def colleague_by_id(work: Work, user_id: UUID) -> User:
    """Somebody of the company that the actor administers. Raises UserNotFound."""
    user = await users.user_by_id(work, user_id)
    if not user.of_company or user.organisation != work.actor.organisation:
        raise UserNotFound("user_id")
    return user


async def state_of(user: User, work: Work) -> UserState:
    """A person as shown to whoever administers the accounts."""
    factor = await find_second_factor(work, user.user_id)
    return UserState(
        user_id=user.user_id,
        name=user.name,
        organisation=user.organisation,
        roles=user.roles,
        status=user.status,
        has_second_factor=factor is not None and factor.confirmed,
    )
