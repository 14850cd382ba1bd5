"""Passwords are chosen by their owners alone, by a link that works once."""

from services.registry.domain.password import must_be_hard_to_guess
from services.registry.domain.session import FREE_TRIES_OF_ADDRESS, LinkInvalid
from services.registry.domain.user import User
from services.registry.handlers.accounts import state_of
from services.registry.handlers.letters import SendPasswordReset
from services.registry.passwords import Passwords
from services.registry.store import sessions, tries, users
from services.registry.store.links import INVITATION, RESET, hashed, use_link, whose_link
from shared.contracts.registry.users import (
    AcceptInvitation,
    RequestPasswordReset,
    ResetPassword,
    ResetRequested,
    UserState,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(AcceptInvitation)
async def accept_invitation(command: AcceptInvitation, work: Work) -> UserState:
    """Whoever was invited has followed the link and chosen a password."""
    user, password_hash = await new_password(command.token, INVITATION, command.password, work)
    if password_hash is not None:
        user.accept(password_hash)

    return await state_of(user, work)


@router.answers(RequestPasswordReset)
async def request_password_reset(command: RequestPasswordReset, work: Work) -> ResetRequested:
    """The answer is the same for everybody, and as quick: whether there is such an account is looked up later."""
    if command.address:
        await tries.count_try(work, tries.of_address(command.address), FREE_TRIES_OF_ADDRESS)
    work.later(SendPasswordReset(email=command.email), key=hashed(command.email))
    return ResetRequested()


@router.answers(ResetPassword)
async def reset_password(command: ResetPassword, work: Work) -> UserState:
    """Another password from now on; sessions end, and whoever made the account wait with wrong guesses has gained nothing."""
    user, password_hash = await new_password(command.token, RESET, command.password, work)
    if password_hash is not None:
        user.reset_password(password_hash)

        await tries.forget_tries(work, tries.of_account(user.email), tries.of_codes(user.email))
        await sessions.end_sessions_of(work, user.user_id)
    return await state_of(user, work)


async def new_password(token: str, purpose: str, password: str, work: Work) -> tuple[User, str | None]:
    """Whose link this was, and the hash of a password that is good enough for them, made between two transactions.

    No hash where exactly this was done already: whoever never got the answer asks again. Raises LinkInvalid.
    """
    user_id = await whose_link(work, token, purpose)
    user = await users.user_by_id(work, user_id)
    must_be_hard_to_guess(password, user.name, user.email)
    passwords = work.use(Passwords)
    password_hash = await work.between_transactions(passwords.hash, password)
    if await use_link(work, token, purpose):
        return await users.user_by_id(work, user_id), password_hash
    user = await users.user_by_id(work, user_id)
    verdict = await work.between_transactions(passwords.verify, user.password_hash, password)
    if not verdict.right:
        raise LinkInvalid("token")
    return await users.user_by_id(work, user_id), None
