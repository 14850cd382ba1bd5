"""Identity: users and their roles, sessions, the keys that tokens are signed with."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.catalogue import SERVICES
from shared.contracts.kinds import Answer, Command, Email, Event, Instant, Line, Office, Secret


class Role(StrEnum):
    """What a person may do: the first three at a company, the last at customs, the others at the ministry."""

    COMPANY_ADMINISTRATOR = "company_administrator"
    PREPARER = "preparer"
    SIGNATORY = "signatory"
    REGISTRATION_OFFICER = "registration_officer"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    CASHIER = "cashier"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CUSTOMS_VIEWER = "customs_viewer"


class UserState(Answer):
    """A person with an account."""

    user_id: UUID
    name: str
    organisation: str
    roles: tuple[Role, ...]


class AddUser(Command):
    """An administrator gives a colleague an account: at the same company, or at an office of the ministry."""

    subject: ClassVar[str] = "cmd.user.add.v1"
    answer: ClassVar[type[Answer]] = UserState
    secret: ClassVar[bool] = True
    user_id: UUID
    name: Line
    email: Email
    password: Secret
    roles: Annotated[tuple[Role, ...], Field(min_length=1, max_length=10)]
    office: Office | None = None


class Session(Answer):
    """A session and the token to send with every request until it expires."""

    session_id: UUID
    user_id: UUID
    organisation: str
    roles: tuple[Role, ...]
    token: str
    expires_at: datetime


class OpenSession(Command):
    """A person signs in."""

    subject: ClassVar[str] = "cmd.session.open.v1"
    answer: ClassVar[type[Answer]] = Session
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SessionEnded(Answer):
    """The session that is over."""

    session_id: UUID


class RevokeSession(Command):
    """A person signs out; the token is refused everywhere from then on."""

    subject: ClassVar[str] = "cmd.session.revoke.v1"
    answer: ClassVar[type[Answer]] = SessionEnded


class SessionRevoked(Event):
    """A session is over; `until` is when its last token would have expired."""

    subject: ClassVar[str] = "evt.session.revoked.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    session_id: UUID
    until: Instant


class SigningKeyPublished(Event):
    """Tokens signed with this key are valid within these instants. `public_key`: a JWK (RFC 7517) as JSON."""

    subject: ClassVar[str] = "evt.signing-key.published.v1"
    listeners: ClassVar[frozenset[str]] = frozenset(SERVICES)
    key_id: str
    public_key: str
    not_before: Instant
    not_after: Instant
