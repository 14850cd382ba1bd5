"""Identity: sessions and their tokens, step-up tokens, and the signing keys of tokens."""

from datetime import datetime
from typing import Annotated, ClassVar, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.fields import Email, Instant, Sha256
from shared.contracts.index import SERVICES
from shared.contracts.messages import Answer, Command, Contract, Event, Part, Question
from shared.contracts.roles import Role

Address = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f.:]{2,45}$")]
"""The IPv4 or IPv6 address of a person, as the portal received it."""
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""256 random bits: a refresh token, or the token of a one-time link."""
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
"""The code of an authenticator (RFC 6238)."""
CodeOrRecovery = Annotated[str, StringConstraints(pattern=r"^([0-9]{6}|[A-Z2-7]{4}(-[A-Z2-7]{4}){3})$")]
"""The code of an authenticator, or a recovery code."""
PasskeyResponse = Annotated[str, StringConstraints(min_length=2, max_length=16 * 1024)]
"""What a browser answers for a passkey: the JSON of a `PublicKeyCredential` (WebAuthn Level 3)."""
CommandSubject = Annotated[str, StringConstraints(pattern=r"^cmd\.[a-z-]{1,60}\.[a-z-]{1,40}\.v[0-9]{1,2}$")]


class Proof(Part):
    """What a person shows besides the e-mail address or the session: the password, and a second factor if they have one."""

    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: CodeOrRecovery | None = None
    passkey: PasskeyResponse | None = None

    @model_validator(mode="after")
    def _one_second_factor(self) -> Self:
        if self.code is not None and self.passkey is not None:
            raise ValueError("send a code or a passkey, not both")
        return self


class Session(Answer):
    """A session with its actor token and its refresh token. A request carries the actor token until that expires.

    `enrolling`: this person may only set up the second factor. `until`: the latest end of the session.
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


class OpenSession(Proof, Command):
    """A person signs in. `code` or `passkey`: of the second factor, if the person has one."""

    subject: ClassVar[str] = "cmd.session.open.v1"
    answer: ClassVar[type[Answer]] = Session
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    email: Email
    address: Address | None = None


class RefreshedSession(Answer):
    """The next pair of tokens. None if the session was ended, because a refresh token was used twice."""

    session: Session | None = None


class RefreshSession(Command):
    """Exchanges a refresh token for the next pair of tokens. A refresh token that is used twice ends the session."""

    subject: ClassVar[str] = "cmd.session.refresh.v1"
    answer: ClassVar[type[Answer]] = RefreshedSession
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    refresh_token: Token
    address: Address | None = None


class SessionEnded(Answer):
    """The session that has ended."""

    session_id: UUID


class RevokeSession(Command):
    """A person signs out, or ends another of their own sessions. From then on every service refuses its token."""

    subject: ClassVar[str] = "cmd.session.revoke.v1"
    answer: ClassVar[type[Answer]] = SessionEnded
    about: ClassVar[str] = "session_id"
    while_enrolling: ClassVar[bool] = True
    session_id: UUID | None = None


class SessionsEnded(Answer):
    """The number of sessions that were ended."""

    ended: int


class RevokeSessions(Command):
    """A person ends all their sessions."""

    subject: ClassVar[str] = "cmd.sessions.revoke.v1"
    answer: ClassVar[type[Answer]] = SessionsEnded
    while_enrolling: ClassVar[bool] = True


class OwnSession(Contract):
    """One of a person's sessions. `this_one`: the session of the request itself."""

    session_id: UUID
    opened_at: datetime
    refreshed_at: datetime
    until: datetime
    address: str | None = None
    this_one: bool


class Sessions(Answer):
    """A person's open sessions, newest first."""

    sessions: tuple[OwnSession, ...]


class ListSessions(Question):
    """Which open sessions does this person have?"""

    subject: ClassVar[str] = "qry.sessions.list.v1"
    answer: ClassVar[type[Answer]] = Sessions


class Decision(Part):
    """A decided command. `act`: its subject. `digest`: the SHA-256 of its content."""

    act: CommandSubject
    digest: Sha256


class StepUp(Answer):
    """A step-up token. It permits each of the decided commands once, for one minute."""

    token: str
    expires_at: datetime


class GiveStepUp(Command):
    """An officer confirms decisions: at most 50 commands together, with a new code or with a passkey (`ChallengeStepUp`)."""

    subject: ClassVar[str] = "cmd.step-up.give.v1"
    answer: ClassVar[type[Answer]] = StepUp
    secret: ClassVar[bool] = True
    code: Code | None = None
    passkey: PasskeyResponse | None = None
    decisions: Annotated[tuple[Decision, ...], Field(min_length=1, max_length=50)]

    @model_validator(mode="after")
    def _one_second_factor(self) -> Self:
        if (self.code is None) == (self.passkey is None):
            raise ValueError("send either a code or a passkey")
        return self


class SessionRevoked(Event):
    """A session has ended, or an API key was revoked. `until`: the instant at which its last token expires."""

    subject: ClassVar[str] = "evt.session.revoked.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    session_id: UUID
    until: Instant


class SigningKeyPublished(Event):
    """Tokens signed with this key are valid within these instants. `public_key`: a JWK (RFC 7517) as JSON.

    A later event with an earlier `not_after` retires the key early.
    """

    subject: ClassVar[str] = "evt.signing-key.published.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    key_id: str
    public_key: str
    not_before: Instant
    not_after: Instant
