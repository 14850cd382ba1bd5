"""Signing in: a person shows the password and the second factor, and gets a session with its tokens."""

from uuid import uuid4

from services.registry.identity.domain.attempts import Counter, Outcome, SignIn, Stage
from services.registry.identity.domain.passkey import Challenged
from services.registry.identity.domain.session import SessionOver, SessionRecord, SignInDelayed, expiry_of_session
from services.registry.identity.domain.user import User
from services.registry.identity.password_hashing import Passwords
from services.registry.identity.proofs import is_of_authenticator, is_recovery_code, shows_fresh_code, shows_passkey
from services.registry.identity.second_factor_rules import SecondFactorRules
from services.registry.identity.store import sessions, users
from services.registry.identity.store.attempts import SignInCounters
from services.registry.identity.store.passkeys import count_passkeys
from services.registry.identity.store.second_factors import has_second_factor, use_recovery_code
from services.registry.identity.tokens import token_of
from shared.contracts.registry.identity import OpenSession, RefreshedSession, RefreshSession, Session
from shared.handling.actor import Actor
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(OpenSession)
async def open_session(command: OpenSession, work: Work) -> Session:
    """A person signs in."""
    async with work.use(Passwords).turn(work):
        user = await authenticate(command, work)

    session = SessionRecord(
        session_id=uuid4(),
        user_id=user.user_id,
        opened_at=work.now,
        refreshed_at=work.now,
        until=expiry_of_session(work.now, of_company=user.of_company),
        address=command.address,
    )
    work.session.add(session)
    await work.session.flush()
    return await next_tokens(session, user, work)


@router.answers(RefreshSession)
async def refresh_session(command: RefreshSession, work: Work) -> RefreshedSession:
    """A person's client gets the next pair of tokens. A refresh token that is used twice was stolen, and ends the session."""
    session_id = await sessions.session_of_token(work, command.refresh_token)
    session = await sessions.find_session(work, session_id) if session_id else None
    if session is None:
        raise SessionOver()
    user = await users.user_by_id(work, session.user_id)
    if not user.may_sign_in or session.is_over(work.now, of_company=user.of_company):
        raise SessionOver()
    token = await sessions.refresh_token(work, command.refresh_token)
    if not token.is_good(work.now):
        await sessions.end_session(work, session)
        return RefreshedSession()

    await sessions.use_refresh_token(work, token)
    session.refreshed_at = work.now
    session.address = command.address or session.address
    return RefreshedSession(session=await next_tokens(session, user, work))


async def authenticate(command: OpenSession, work: Work) -> User:
    """The person with this e-mail address, password and second factor. Raises SignInDelayed, SignInFailed,
    SecondFactorRequired, SecondFactorWrong or PasskeyCopied. `domain/attempts.py` says which counters are raised, and what
    the outcome does to them.
    """
    known = await users.find_user_by_email(work, command.email)
    user_id, password_hash = (known.user_id, known.password_hash) if known else (None, None)
    counters = SignInCounters(command.email, command.address)
    await counters.count(work, Counter.ADDRESS)
    unlocks = command.passkey is not None or is_of_authenticator(command.code)
    sign_in = SignIn(await counters.account_delayed_until(work) if unlocks else None)
    await counters.count(work, *sign_in.counted(Stage.BEFORE_PASSWORD))

    verdict = await work.between_transactions(work.use(Passwords).verify, password_hash, command.password)

    user, outcome = None, Outcome.PASSWORD_WRONG
    if user_id is not None and verdict.right:
        await count_after_password(sign_in, counters, work)
        user = await users.find_user(work, user_id)
        if user and user.password_hash == password_hash and user.may_sign_in:  # unchanged meanwhile
            outcome = await check_second_factor(sign_in, user, command, work)
    await counters.settle(work, outcome)
    if user is None or outcome is not Outcome.SIGNED_IN:
        has_passkeys = user is not None and outcome is Outcome.CODE_MISSING and await count_passkeys(work, user.user_id) > 0
        await work.commit_so_far()  # the refusal must not undo the counters
        raise sign_in.refusal(outcome, has_passkeys=has_passkeys)
    user.password_hash = verdict.better_hash or user.password_hash
    return user


async def count_after_password(sign_in: SignIn, counters: SignInCounters, work: Work) -> None:
    """Raises the counters of this stage, for good. Raises SignInDelayed with the delay of the account."""
    counted = sign_in.counted(Stage.AFTER_PASSWORD)
    if not counted:
        return
    try:
        await counters.count(work, *counted)
    except SignInDelayed:
        raise sign_in.refusal(Outcome.CODE_WRONG) from None
    await work.commit_so_far()


async def check_second_factor(sign_in: SignIn, user: User, command: OpenSession, work: Work) -> Outcome:
    """The outcome for a person with the right password, by their second factor. A code or a passkey is used up."""
    if command.passkey is not None:
        shown = await shows_passkey(user.user_id, command.passkey, Challenged.sign_in(command.email), work)
        return sign_in.outcome_of_passkey(required=await has_second_factor(work, user.user_id), shown=shown)
    return await check_code(sign_in, user, command.code, work)


async def check_code(sign_in: SignIn, user: User, code: str | None, work: Work) -> Outcome:
    """The outcome for a person who shows a code or nothing. The code is used up."""
    good = await shows_fresh_code(user.user_id, code, work)
    required = not good and await has_second_factor(work, user.user_id)
    if required and code and is_recovery_code(code):
        good = await use_recovery_code(work, user.user_id, code)
    return sign_in.outcome_of_code(required=required, shown=code is not None, good=good)


async def next_tokens(session: SessionRecord, user: User, work: Work) -> Session:
    """The next pair of tokens. A person who must have a second factor and has none has no role yet."""
    enrolling = work.use(SecondFactorRules).demand_of(user, work.today) and not await has_second_factor(work, user.user_id)
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
