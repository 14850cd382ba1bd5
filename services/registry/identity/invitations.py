"""Invitations: a person gets an account, and a link by e-mail to choose a password."""

from typing import ClassVar
from uuid import UUID

from services.registry.identity.domain.link import Purpose
from services.registry.identity.domain.user import Status, User, UserIdTaken
from services.registry.identity.link_emails import send_link
from services.registry.identity.passwords import choose_password
from services.registry.identity.store import users
from services.registry.identity.store.second_factors import has_second_factor
from services.registry.identity.views import user_state
from shared.contracts.registry.users import AcceptInvitation, InviteColleague, InviteOfficer, UserState
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class SendInvitation(Task):
    """Send a person the link by which they choose a password."""

    kind: ClassVar[str] = "send_invitation"
    user_id: UUID


@router.answers(AcceptInvitation)
async def accept_invitation(command: AcceptInvitation, work: Work) -> UserState:
    """An invited person follows the link and chooses a password."""
    user, password_hash = await choose_password(command.token, Purpose.INVITATION, command.password, work)
    if password_hash is not None:
        user.accept(password_hash)

    return user_state(user, has_second_factor=await has_second_factor(work, user.user_id))


@router.due(SendInvitation)
async def send_invitation(task: SendInvitation, work: Work) -> None:
    """Sends the invitation with a new link."""
    user = await users.user_by_id(work, task.user_id)
    if user.status is Status.INVITED:
        await send_link(user, Purpose.INVITATION, work)


async def invite(command: InviteOfficer | InviteColleague, organisation: str, work: Work) -> UserState:
    """Creates an account and sends an invitation; asked again, sends another one. Raises UserIdTaken or EmailTaken."""
    user, roles = await users.find_user(work, command.user_id), sorted({role.value for role in command.roles})
    if user is None:
        await users.email_must_be_free(work, command.email)
        user = User(
            user_id=command.user_id,
            name=command.name,
            email=command.email,
            password_hash=None,
            organisation=organisation,
            roles=roles,
            status=Status.INVITED,
        )
        work.session.add(user)
    elif (user.email, user.organisation, user.roles) == (command.email, organisation, roles):
        user.invited_again()
    else:
        raise UserIdTaken("user_id")
    work.later(SendInvitation(user_id=user.user_id), key=user.user_id)
    return user_state(user, has_second_factor=await has_second_factor(work, user.user_id))
