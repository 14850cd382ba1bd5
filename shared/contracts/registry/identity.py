"""Identity: sessions and their tokens, stepping up, the keys that tokens are signed with."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.fields import Email, Instant, Sha256
from shared.contracts.index import SERVICES
from shared.contracts.messages import Answer, Command, Contract, Event, Part, Question
from shared.contracts.roles import Role

Address = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f.:]{2,45}$")]
"""From where a person asks, as the portal saw it: an address of IPv4 or IPv6."""
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""256 random bits: a refresh token, or what stands in a one-time link."""
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""What an authenticator shows (RFC 6238)."""
CodeOrRecovery = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}|[A-Z2-7]{4}(-[A-Z2-7]{4}){3})$")]
"""What an authenticator shows, or one of the recovery codes."""
CommandSubject = Annotated[str, StringConstraints(pattern=r"^cmd\.[a-z-]{1,60}\.[a-z-]{1,40}\.v[0-9]{1,2}$")]


class Session(Answer):
    """A session and the token to send with every request until it expires; then the refresh token gives the next pair.

    `enrolling`: this officer may do nothing yet but set up the second factor. `until`: when the session is over at the latest.
    """

    about: ClassVar[str] = "session_id"
    session_id: UUID
    user_id: UUID
    organisation: str
    roles: tuple[Role, ...]
    token: str
    expires_at: datetime
    refresh_token: str | None = None
    until: datetime | None = None
    enrolling: bool = False


class OpenSession(Command):
    """A person signs in. `code`: of the second factor, where there is one. `address`: from where, as the portal saw it."""

    subject: ClassVar[str] = "cmd.session.open.v1"
    answer: ClassVar[type[Answer]] = Session
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: CodeOrRecovery | None = None
    address: Address | None = None


class RefreshedSession(Answer):
    """The next pair of tokens; none where the session was ended, because an old refresh token was shown."""

    session: Session | None = None


class RefreshSession(Command):
    """The next token, for a refresh token, which is good for one use. A known one shown again ends the session."""

    subject: ClassVar[str] = "cmd.session.refresh.v1"
    answer: ClassVar[type[Answer]] = RefreshedSession
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    refresh_token: Token
    address: Address | None = None


class SessionEnded(Answer):
    """The session that is over."""

    session_id: UUID


class RevokeSession(Command):
    """A person signs out, or ends another of their own sessions; its token is refused everywhere from then on."""

    subject: ClassVar[str] = "cmd.session.revoke.v1"
    answer: ClassVar[type[Answer]] = SessionEnded
    about: ClassVar[str] = "session_id"
    while_enrolling: ClassVar[bool] = True
    session_id: UUID | None = None


class SessionsEnded(Answer):
    """How many sessions are over."""

    ended: int


class RevokeSessions(Command):
    """A person signs out everywhere."""

    subject: ClassVar[str] = "cmd.sessions.revoke.v1"
    answer: ClassVar[type[Answer]] = SessionsEnded
    while_enrolling: ClassVar[bool] = True


class OwnSession(Contract):
    """One of a person's sessions: since when, last refreshed, from where."""

    session_id: UUID
    opened_at: datetime
    refreshed_at: datetime
    until: datetime
    address: str | None = None
    this_one: bool


class Sessions(Answer):
    """A person's sessions that are not over, the newest first."""

    sessions: tuple[OwnSession, ...]


class ListSessions(Question):
    """Where am I signed in?"""

    subject: ClassVar[str] = "qry.sessions.list.v1"
    answer: ClassVar[type[Answer]] = Sessions


class Decision(Part):
    """A command that was decided: its class, by its subject, and the digest of its content."""

    act: CommandSubject
    digest: Sha256


class StepUp(Answer):
    """The token that lets each of the decided commands pass once, for a minute."""

    token: str
    expires_at: datetime


class GiveStepUp(Command):
    """An officer confirms with a fresh code of the second factor what they have decided: up to 50 commands together."""

    subject: ClassVar[str] = "cmd.step-up.give.v1"
    answer: ClassVar[type[Answer]] = StepUp
    secret: ClassVar[bool] = True
    code: Code
    decisions: Annotated[tuple[Decision, ...], Field(min_length=1, max_length=50)]


class SessionRevoked(Event):
    """A session is over, or an API key, which is a session that lasts; `until` is when its last token would have expired."""

    subject: ClassVar[str] = "evt.session.revoked.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    session_id: UUID
    until: Instant


class SigningKeyPublished(Event):
    """Tokens signed with this key are valid within these instants. `public_key`: a JWK (RFC 7517) as JSON.

    Told again with an earlier `not_after`, the key is retired before its time.
    """

    subject: ClassVar[str] = "evt.signing-key.published.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    key_id: str
    public_key: str
    not_before: Instant
    not_after: Instant
