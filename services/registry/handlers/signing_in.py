"""Signing in: a password, the code of a second factor, and a session whose tokens succeed each other."""

from uuid import uuid4

from services.registry.domain.second_factor import SecondFactorRequired, SecondFactorWrong
from services.registry.domain.session import (
    FREE_TRIES_OF_ADDRESS,
    SessionOver,
    SessionRecord,
    SignInDelayed,
    SignInFailed,
    lasts_until,
)
from services.registry.domain.user import User
from services.registry.handlers.second_factor import is_of_authenticator, is_recovery_code, shows_fresh_code
from services.registry.handlers.tokens import token_of
from services.registry.passwords import Passwords
from services.registry.store import sessions, tries, users
from services.registry.store.second_factors import find_second_factor, use_recovery_code
from shared.contracts.registry.identity import OpenSession, RefreshedSession, RefreshSession, Session
from shared.handling.actor import Actor
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(OpenSession)
async def open_session(command: OpenSession, work: Work) -> Session:
    """A person signs in."""
    async with work.use(Passwords).turn(work):
        user = await who_has_shown_who_they_are(command, work)

    until = lasts_until(work.now, of_company=user.of_company)
    session = SessionRecord(uuid4(), user.user_id, work.now, work.now, until, command.address)
    work.session.add(session)
    await work.session.flush()
    return await next_tokens(session, user, work)


@router.answers(RefreshSession)
async def refresh_session(command: RefreshSession, work: Work) -> RefreshedSession:
    """The next pair of tokens. A token that was used before is in a thief's hands, or was: then nobody goes on with it."""
    session_id = await sessions.session_of_token(work, command.refresh_token)
    session = await sessions.find_session(work, session_id) if session_id else None
    if session is None:
        raise SessionOver()
    user = await users.user_by_id(work, session.user_id)
    if not user.may_sign_in or session.is_over(work.now, of_company=user.of_company):
        raise SessionOver()
    token = await sessions.shown(work, command.refresh_token)
    if not token.is_good(work.now):
        await sessions.end_session(work, session)
        return RefreshedSession()

    await sessions.use_refresh_token(work, token)
    session.refreshed_at, session.address = work.now, command.address or session.address
    return RefreshedSession(session=await next_tokens(session, user, work))


async def who_has_shown_who_they_are(command: OpenSession, work: Work) -> User:
    """The person whose password and code these are. Raises SignInDelayed, SignInFailed, SecondFactorRequired or -Wrong.

    Every try counts as a wrong one until it is known to be right. While guessers are made to wait, whoever shows a code is
    heard nevertheless: with the right password and a fresh code they are let in, with anything else they wait like the others.
    """
    known = await users.find_user_by_email(work, command.email)
    user_id, password_hash = (known.user_id, known.password_hash) if known else (None, None)
    from_address = None  # before the account, here and below, so that no two sign-ins wait for each other
    if command.address:
        from_address = await tries.count_try(work, tries.of_address(command.address), FREE_TRIES_OF_ADDRESS)
    account, codes = tries.of_account(command.email), tries.of_codes(command.email)
    waits_until = await tries.delayed_until(work, account) if is_of_authenticator(command.code) else None
    if waits_until is None:
        await tries.count_try(work, account)

    verdict = await work.between_transactions(work.use(Passwords).verify, password_hash, command.password)

    failed = SignInDelayed("email", until=waits_until) if waits_until else SignInFailed("email", "password")
    if user_id is None or not verdict.right:
        raise failed
    if waits_until:
        try:
            await tries.count_try(work, codes)
        except SignInDelayed:
            raise failed from None
        await work.commit_so_far()
    user = await users.find_user(work, user_id)
    if user is None or user.password_hash != password_hash or not user.may_sign_in:  # another one meanwhile
        raise failed
    fresh = await shows_fresh_code(user_id, command.code, work)
    if waits_until and not fresh:
        raise failed
    code_missing = not fresh and await lacks_code(user, command.code, work)
    if from_address:
        await tries.take_back(work, from_address)
    if code_missing:
        await work.commit_so_far()
        raise SecondFactorRequired("code")
    user.password_hash = verdict.better_hash or user.password_hash
    await tries.forget_tries(work, account, codes)
    return user


async def lacks_code(user: User, code: str | None, work: Work) -> bool:
    """Whether a person with a second factor has shown none. Raises SecondFactorWrong where it is not a good recovery code."""
    factor = await find_second_factor(work, user.user_id)
    if factor is None or not factor.confirmed:
        return False
    if code and not (is_recovery_code(code) and await use_recovery_code(work, user.user_id, code)):
        raise SecondFactorWrong("code")
    return code is None


async def next_tokens(session: SessionRecord, user: User, work: Work) -> Session:
    """A token for a quarter of an hour and a refresh token. An officer without a second factor has no role yet."""
    factor = await find_second_factor(work, user.user_id)
    enrolling = user.needs_second_factor and (factor is None or not factor.confirmed)
    roles = [] if enrolling else user.roles
    actor = Actor(
        user_id=user.user_id,
        session_id=session.session_id,
        organisation=user.organisation,
        roles=frozenset(roles),
        enrolling=enrolling,
    )
    token, expires_at = token_of(actor, session.until, work)
    return Session(
        session_id=session.session_id,
        user_id=user.user_id,
        organisation=user.organisation,
        roles=roles,
        token=token,
        expires_at=expires_at,
        refresh_token=await sessions.next_refresh_token(work, session.session_id),
        until=session.until,
        enrolling=enrolling,
    )
