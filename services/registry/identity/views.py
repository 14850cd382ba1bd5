"""People and sessions as they are shown."""

from services.registry.identity.domain.passkey import Passkey
from services.registry.identity.domain.session import SessionRecord
from services.registry.identity.domain.user import User
from shared.contracts.registry.identity import OwnSession
from shared.contracts.registry.passkeys import PasskeyState
from shared.contracts.registry.users import ListedUser, UserState
from shared.handling.actor import Actor


def user_state(user: User, *, has_second_factor: bool) -> UserState:
    """A person as shown to the administrator of the accounts."""
    return UserState(
        user_id=user.user_id,
        name=user.name,
        organisation=user.organisation,
        roles=user.roles,
        status=user.status,
        has_second_factor=has_second_factor,
    )


def listed_user(user: User, *, has_second_factor: bool) -> ListedUser:
    """A person in a list of accounts."""
    return ListedUser(
        user_id=user.user_id,
        name=user.name,
        email=user.email,
        organisation=user.organisation,
        roles=user.roles,
        status=user.status,
        has_second_factor=has_second_factor,
    )


def own_session(session: SessionRecord, actor: Actor) -> OwnSession:
    """A session as shown to its own person."""
    return OwnSession(
        session_id=session.session_id,
        opened_at=session.opened_at,
        refreshed_at=session.refreshed_at,
        until=session.until,
        address=session.address,
        this_one=session.session_id == actor.session_id,
    )


def passkey_state(passkey: Passkey) -> PasskeyState:
    """A passkey as shown to its own person."""
    return PasskeyState(
        passkey_id=passkey.passkey_id,
        name=passkey.name,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
        transports=tuple(passkey.transports),
    )
