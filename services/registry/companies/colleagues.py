"""Accounts of a company's people: its administrator invites them, changes their roles, and closes their accounts."""

from uuid import UUID

from services.registry.companies.store import registration_by_id
from services.registry.identity.domain.user import (
    MAX_COLLEAGUES,
    NotRegisteredYet,
    TooManyColleagues,
    User,
    UserNotFound,
    must_be_givable,
)
from services.registry.identity.invitations import invite
from services.registry.identity.store import users
from services.registry.identity.users import change_roles, deactivate
from shared.contracts.registry.users import ChangeColleagueRoles, DeactivateColleague, InviteColleague, UserState
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(InviteColleague)
async def invite_colleague(command: InviteColleague, work: Work) -> UserState:
    """A company's administrator invites a colleague."""
    must_be_givable(set(command.roles), to_company=True)
    if await users.find_user(work, command.user_id) is None:
        await must_have_room_for_colleague(work.actor.organisation, work)
    return await invite(command, work.actor.organisation, work)


@router.answers(ChangeColleagueRoles)
async def change_colleague_roles(command: ChangeColleagueRoles, work: Work) -> UserState:
    """A colleague gets other roles, and must sign in again."""
    return await change_roles(await colleague_by_id(work, command.user_id), command.roles, work)


@router.answers(DeactivateColleague)
async def deactivate_colleague(command: DeactivateColleague, work: Work) -> UserState:
    """A colleague leaves. Their sessions end at once."""
    return await deactivate(await colleague_by_id(work, command.user_id), work)


async def must_have_room_for_colleague(company: str, work: Work) -> None:
    """A company that is not registered yet cannot invite people. Raises NotRegisteredYet or TooManyColleagues."""
    registration = await registration_by_id(work, UUID(company))
    if not registration.was_ever_approved:
        raise NotRegisteredYet()
    if await users.count_accounts_of(work, company) >= MAX_COLLEAGUES:
        raise TooManyColleagues(most=MAX_COLLEAGUES)


async def colleague_by_id(work: Work, user_id: UUID) -> User:
    """A person of the company that the actor administers. Raises UserNotFound."""
    user = await users.user_by_id(work, user_id)
    if not user.of_company or user.organisation != work.actor.organisation:
        raise UserNotFound("user_id")
    return user
