"""Users: officers of the ministry and people of companies, who come by invitation; their roles and passwords."""

from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.fields import Email, Line, Office, Secret
from shared.contracts.messages import Answer, Command, Contract, Question
from shared.contracts.registry.identity import Address, Token
from shared.contracts.roles import Role

Roles = Annotated[tuple[Role, ...], Field(min_length=1, max_length=10)]


class UserStatus(StrEnum):
    """Where an account stands."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class UserState(Answer):
    """A person with an account. `organisation`: a company's id, or the code of an office."""

    about: ClassVar[str] = "user_id"
    user_id: UUID
    name: str
    organisation: str
    roles: tuple[Role, ...]
    status: UserStatus | None = None
    has_second_factor: bool = False


class AddUser(Command):
    """An account with a password that an administrator chose. Always refused: people are invited, and choose their own."""

    subject: ClassVar[str] = "cmd.user.add.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR, Role.COMPANY_ADMINISTRATOR})
    secret: ClassVar[bool] = True
    user_id: UUID
    name: Line
    email: Email
    password: Secret
    roles: Roles
    office: Office | None = None


class InviteOfficer(Command):
    """An administrator invites an officer of the ministry, or a viewer of customs; sent again, so is the letter."""

    subject: ClassVar[str] = "cmd.officer.invite.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID
    name: Line
    email: Email
    roles: Roles
    office: Office


class ChangeOfficerRoles(Command):
    """An administrator says what an officer may do from now on; never what they themselves may."""

    subject: ClassVar[str] = "cmd.officer-roles.change.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID
    roles: Roles


class TransferOfficer(Command):
    """An officer belongs to another office from now on."""

    subject: ClassVar[str] = "cmd.officer.transfer.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID
    office: Office


class DeactivateOfficer(Command):
    """An officer may do nothing any more; every session of theirs ends at once."""

    subject: ClassVar[str] = "cmd.officer.deactivate.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID


class RemoveSecondFactor(Command):
    """An officer has lost the second factor and the recovery codes: they set up another at the next sign-in."""

    subject: ClassVar[str] = "cmd.second-factor.remove.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID


class InviteColleague(Command):
    """A company's administrator invites a colleague; sent again, so is the letter."""

    subject: ClassVar[str] = "cmd.colleague.invite.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.COMPANY_ADMINISTRATOR})
    user_id: UUID
    name: Line
    email: Email
    roles: Roles


class ChangeColleagueRoles(Command):
    """A company's administrator says what a colleague may do from now on."""

    subject: ClassVar[str] = "cmd.colleague-roles.change.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.COMPANY_ADMINISTRATOR})
    user_id: UUID
    roles: Roles


class DeactivateColleague(Command):
    """A colleague may do nothing any more; every session of theirs ends at once."""

    subject: ClassVar[str] = "cmd.colleague.deactivate.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.COMPANY_ADMINISTRATOR})
    user_id: UUID


class ListedUser(Contract):
    """A person in a list of accounts."""

    user_id: UUID
    name: str
    email: str
    organisation: str
    roles: tuple[Role, ...]
    status: UserStatus
    has_second_factor: bool


class Users(Answer):
    """One page of accounts, by id."""

    users: tuple[ListedUser, ...]


class ListUsers(Question):
    """Who has an account? Of one's own company; the ministry's administrators and auditors see its officers."""

    subject: ClassVar[str] = "qry.users.list.v1"
    answer: ClassVar[type[Answer]] = Users
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.COMPANY_ADMINISTRATOR})
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class AcceptInvitation(Command):
    """Whoever was invited follows the link and chooses a password."""

    subject: ClassVar[str] = "cmd.invitation.accept.v1"
    answer: ClassVar[type[Answer]] = UserState
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    token: Token
    password: Secret


class ResetRequested(Answer):
    """If there is such an account, a letter is on its way."""


class RequestPasswordReset(Command):
    """Somebody has forgotten their password and asks for a link by e-mail. The answer is the same for every address."""

    subject: ClassVar[str] = "cmd.password-reset.request.v1"
    answer: ClassVar[type[Answer]] = ResetRequested
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    email: Email
    address: Address | None = None


class ResetPassword(Command):
    """Whoever was sent the link chooses another password; every session of theirs ends."""

    subject: ClassVar[str] = "cmd.password.reset.v1"
    answer: ClassVar[type[Answer]] = UserState
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    token: Token
    password: Secret
