"""Identity: accounts, signing in and out."""

from uuid import UUID, uuid4

from services.registry.domain.user import TOKEN_LASTS, OfficeMissing, SignInFailed, User, must_be_givable
from services.registry.passwords import Passwords
from services.registry.settings import Issuer
from services.registry.store import keys, users
from shared.contracts.registry.identity import (
    AddUser,
    OpenSession,
    RevokeSession,
    Session,
    SessionEnded,
    SessionRevoked,
    UserState,
)
from shared.identity import Actor, sign_token
from shared.router import Router
from shared.work import Work

router = Router()


@router.answers(AddUser)
async def add_user(command: AddUser, work: Work) -> UserState:
    """An administrator gives a colleague an account; sent twice, it is one account."""
    work.actor.must_be("administrator", "company_administrator")
    by_ministry = "administrator" in work.actor.roles
    must_be_givable(set(command.roles), by_ministry=by_ministry)
    if by_ministry and command.office is None:
        raise OfficeMissing("", "office")
    organisation = str(command.office) if by_ministry else work.actor.organisation
    known = await users.find_user(work, command.user_id)
    if known is not None and (known.email, known.organisation) == (command.email, organisation):
        return user_state_of(known)
    password_hash = await work.outside(work.use(Passwords).hash, command.password)
    await users.email_must_be_free(work, command.email)

    user = User(command.user_id, command.name, command.email, password_hash, organisation, sorted(set(command.roles)))

    work.session.add(user)
    return user_state_of(user)


@router.answers(OpenSession)
async def open_session(command: OpenSession, work: Work) -> Session:
    """A person signs in and is given a token."""
    user = await users.find_user_by_email(work, command.email)
    right = await work.outside(work.use(Passwords).matches, user.password_hash if user else None, command.password)
    user = await users.find_user_by_email(work, command.email)
    if user is None or not right:
        raise SignInFailed("", "email", "password")

    actor = Actor(user.user_id, uuid4(), user.organisation, frozenset(user.roles))
    issuer = work.use(Issuer)
    return Session(
        session_id=actor.session_id,
        user_id=user.user_id,
        organisation=actor.organisation,
        roles=user.roles,
        token=sign_token(issuer.key, actor, audience=issuer.audience, now=work.now, lasts=TOKEN_LASTS),
        expires_at=work.now + TOKEN_LASTS,
    )


@router.answers(RevokeSession)
async def revoke_session(command: RevokeSession, work: Work) -> SessionEnded:
    """A person signs out; every service hears of it and refuses the token from then on."""
    session_id = work.actor.must_have_session()
    work.announce(SessionRevoked(session_id=session_id, until=work.now + TOKEN_LASTS, version=1, occurred_at=work.now))
    return SessionEnded(session_id=session_id)


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


@router.reannounces("session", keys.revoked_session_ids)
async def announce_revoked_session(session_id: UUID, work: Work) -> None:
    """A session is over, and its last token not yet expired."""
    work.announce(await keys.revoked_session(work, session_id))


def user_state_of(user: User) -> UserState:
    """A person as shown to whoever gave the account."""
    return UserState(user_id=user.user_id, name=user.name, organisation=user.organisation, roles=user.roles)
