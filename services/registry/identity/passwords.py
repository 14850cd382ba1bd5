"""Passwords: only their owners choose them, by a link that works once."""

from typing import ClassVar

from services.registry.identity.domain.attempts import FREE_ATTEMPTS_OF_ADDRESS
from services.registry.identity.domain.link import Purpose
from services.registry.identity.domain.password import must_be_hard_to_guess
from services.registry.identity.domain.secret_tokens import hashed
from services.registry.identity.domain.session import LinkInvalid
from services.registry.identity.domain.user import User
from services.registry.identity.link_emails import send_link
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.store import attempts, sessions, users
from services.registry.identity.store.links import use_link, user_of_link
from services.registry.identity.store.second_factors import has_second_factor
from services.registry.identity.views import user_state
from shared.contracts.registry.users import RequestPasswordReset, ResetPassword, ResetRequested, UserState
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class SendPasswordReset(Task):
    """Send the link for a new password, if there is such an account."""

    kind: ClassVar[str] = "send_password_reset"
    email: str


@router.answers(RequestPasswordReset)
async def request_password_reset(command: RequestPasswordReset, work: Work) -> ResetRequested:
    """A person has forgotten the password. The answer is the same for unknown people: a task looks the account up."""
    if command.address:
        await attempts.count_attempt(work, attempts.of_address(command.address), FREE_ATTEMPTS_OF_ADDRESS)
    work.later(SendPasswordReset(email=command.email), key=hashed(command.email))
    return ResetRequested()


@router.answers(ResetPassword)
async def reset_password(command: ResetPassword, work: Work) -> UserState:
    """A person chooses a new password. Their sessions end, and so does a delay that guessers have caused."""
    user, password_hash = await choose_password(command.token, Purpose.RESET, command.password, work)
    if password_hash is not None:
        user.reset_password(password_hash)

        await attempts.clear_attempts(work, attempts.of_account(user.email), attempts.of_codes(user.email))
        await sessions.end_sessions_of(work, user.user_id)
    return user_state(user, has_second_factor=await has_second_factor(work, user.user_id))


@router.due(SendPasswordReset)
async def send_password_reset(task: SendPasswordReset, work: Work) -> None:
    """Sends the e-mail with the link for a new password."""
    user = await users.find_user_by_email(work, task.email)
    if user and user.may_sign_in:
        await send_link(user, Purpose.RESET, work)


async def choose_password(token: str, purpose: Purpose, password: str, work: Work) -> tuple[User, str | None]:
    """Uses a link. Returns its person and the hash of the new password. Raises LinkInvalid.

    The hash is None if the same password was chosen by this link already: the person has lost the answer and asks again.
    """
    user_id = await user_of_link(work, token, purpose)
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
