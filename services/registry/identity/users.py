"""Accounts of officers: they are invited, change roles and offices, and leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

from services.registry.identity.domain.link import Purpose
from services.registry.identity.domain.user import (
    COMPANY_ROLES,
    PasswordNotYoursToChoose,
    User,
    UserNotFound,
    must_be_givable,
)
from services.registry.identity.invitations import invite
from services.registry.identity.offices import Offices
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.store import sessions, users
from services.registry.identity.store.links import delete_links
from services.registry.identity.store.second_factors import delete_second_factor, has_second_factor
from services.registry.identity.views import listed_user, user_state
from shared.contracts.registry.profiles import NamedUsers, NameUsers
from shared.contracts.registry.users import (
    AddUser,
    ChangeOfficerRoles,
    DeactivateOfficer,
    InviteOfficer,
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


@dataclass(frozen=True)
class FirstAdministrator:
    """The ministry's first administrator, who gets an account while there is none."""

    email: str
    password: str
    office: str


@router.answers(AddUser)
async def add_user(command: AddUser, work: Work) -> UserState:
    """Refused: people choose their own passwords by an invitation."""
    raise PasswordNotYoursToChoose("password")


@router.answers(InviteOfficer)
async def invite_officer(command: InviteOfficer, work: Work) -> UserState:
    """An administrator invites an officer to an office."""
    must_be_givable(set(command.roles), to_company=False)
    work.use(Offices).must_know(command.office, set(command.roles), work.today)
    return await invite(command, command.office, work)


@router.answers(ChangeOfficerRoles)
async def change_officer_roles(command: ChangeOfficerRoles, work: Work) -> UserState:
    """An officer gets other roles, and must sign in again."""
    return await change_roles(await officer_by_id(work, command.user_id), command.roles, work)


@router.answers(TransferOfficer)
async def transfer_officer(command: TransferOfficer, work: Work) -> UserState:
    """An officer moves to another office, and must sign in again."""
    officer = await officer_by_id(work, command.user_id)
    work.use(Offices).must_know(command.office, set(officer.roles), work.today)

    officer.transfer(command.office, by=work.actor.must_have_id())

    await sessions.end_sessions_of(work, officer.user_id)
    return await state_of(officer, work)


@router.answers(DeactivateOfficer)
async def deactivate_officer(command: DeactivateOfficer, work: Work) -> UserState:
    """An officer leaves. Their sessions end at once."""
    return await deactivate(await officer_by_id(work, command.user_id), work)


@router.answers(RemoveSecondFactor)
async def remove_second_factor(command: RemoveSecondFactor, work: Work) -> UserState:
    """An officer has lost the authenticator and the recovery codes, and must set up another one."""
    officer = await officer_by_id(work, command.user_id)

    officer.lose_second_factor(by=work.actor.must_have_id())

    await delete_second_factor(work, officer.user_id)
    await sessions.end_sessions_of(work, officer.user_id)
    return await state_of(officer, work)


@router.answers(ListUsers)
async def list_users(question: ListUsers, work: Work) -> Users:
    """Lists the accounts of the ministry, or of the actor's company."""
    of_ministry = work.actor.roles & {Role.ADMINISTRATOR, Role.AUDITOR}
    page = await users.users_of(work, None if of_ministry else work.actor.organisation, question.after, question.limit)
    following = page[-1][0].user_id if len(page) == question.limit else None
    return Users(users=tuple(listed_user(user, has_second_factor=has) for user, has in page), next=following)


@router.answers(NameUsers)
async def name_users(question: NameUsers, work: Work) -> NamedUsers:
    """The names of people, as far as the actor may learn them. An agent learns those of both companies."""
    officer = bool(work.actor.roles - COMPANY_ROLES)
    organisations = {str(each) for each in (work.actor.organisation, work.actor.agent_id) if each}
    found = await users.users_by_id(work, question.user_ids)
    names = {user.user_id: user.name_for(organisations, officer=officer) for user in found}
    return NamedUsers(names={user_id: name for user_id, name in names.items() if name is not None})


@router.at_start
async def appoint_first_administrator(work: Work) -> None:
    """Creates the first administrator's account, with the password from the secrets, while there is no account."""
    if await users.there_are_users(work):
        return
    first = work.use(FirstAdministrator)
    work.session.add(
        User(
            user_id=uuid4(),
            name="Administrator",
            email=first.email,
            password_hash=await work.use(Passwords).hash(first.password),
            organisation=first.office,
            roles=[Role.ADMINISTRATOR.value],
        )
    )


async def change_roles(user: User, roles: Iterable[Role], work: Work) -> UserState:
    """Gives a person other roles and ends their sessions."""
    user.change_roles({role.value for role in roles}, by=work.actor.must_have_id())

    await sessions.end_sessions_of(work, user.user_id)
    return await state_of(user, work)


async def deactivate(user: User, work: Work) -> UserState:
    """Closes an account, with its sessions, second factor and links."""
    user.deactivate(by=work.actor.must_have_id())

    await sessions.end_sessions_of(work, user.user_id)
    await delete_second_factor(work, user.user_id)
    for purpose in Purpose:
        await delete_links(work, user.user_id, purpose)
    return await state_of(user, work)


async def officer_by_id(work: Work, user_id: UUID) -> User:
    """An officer of the ministry, or a viewer of customs. Raises UserNotFound."""
    user = await users.user_by_id(work, user_id)
    if user.of_company:
        raise UserNotFound("user_id")
    return user


async def state_of(user: User, work: Work) -> UserState:
    """A person as shown to the administrator of the accounts."""
    return user_state(user, has_second_factor=await has_second_factor(work, user.user_id))
