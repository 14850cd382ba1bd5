"""Users: officers of the ministry and people of companies, their invitations, roles and passwords."""

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
    """The status of an account."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class UserState(Answer):
    """A person with an account. `organisation`: the id of a company or the code of an office."""

    about: ClassVar[str] = "user_id"
    user_id: UUID
    name: str
    organisation: str
    roles: tuple[Role, ...]
    status: UserStatus | None = None
    has_second_factor: bool = False


class AddUser(Command):
    """Makes an account with a given password. Always refused: people are invited and choose their own password."""

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
    """An administrator invites an officer of the ministry or a viewer of customs. A repeated invitation sends a new e-mail."""

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
    """An administrator changes the roles of an officer, but not their own."""

    subject: ClassVar[str] = "cmd.officer-roles.change.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID
    roles: Roles


class TransferOfficer(Command):
    """An administrator transfers an officer to another office."""

    subject: ClassVar[str] = "cmd.officer.transfer.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID
    office: Office


class DeactivateOfficer(Command):
    """An administrator deactivates the account of an officer. All their sessions end at once."""

    subject: ClassVar[str] = "cmd.officer.deactivate.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID


class RemoveSecondFactor(Command):
    """An administrator removes the lost second factor of an officer, who sets up another at the next sign-in."""

    subject: ClassVar[str] = "cmd.second-factor.remove.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR})
    step_up: ClassVar[bool] = True
    user_id: UUID


class InviteColleague(Command):
    """A company's administrator invites a colleague. A repeated invitation sends a new e-mail."""

    subject: ClassVar[str] = "cmd.colleague.invite.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.COMPANY_ADMINISTRATOR})
    user_id: UUID
    name: Line
    email: Email
    roles: Roles


class ChangeColleagueRoles(Command):
    """A company's administrator changes the roles of a colleague."""

    subject: ClassVar[str] = "cmd.colleague-roles.change.v1"
    answer: ClassVar[type[Answer]] = UserState
    about: ClassVar[str] = "user_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.COMPANY_ADMINISTRATOR})
    user_id: UUID
    roles: Roles


class DeactivateColleague(Command):
    """A company's administrator deactivates the account of a colleague. All their sessions end at once."""

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
    next: UUID | None = None


class ListUsers(Question):
    """Which accounts are there? A company's administrator sees its people; administrators and auditors see officers."""

    subject: ClassVar[str] = "qry.users.list.v1"
    answer: ClassVar[type[Answer]] = Users
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.ADMINISTRATOR, Role.AUDITOR, Role.COMPANY_ADMINISTRATOR})
    after: UUID | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class AcceptInvitation(Command):
    """An invited person opens the link and chooses a password."""

    subject: ClassVar[str] = "cmd.invitation.accept.v1"
    answer: ClassVar[type[Answer]] = UserState
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    token: Token
    password: Secret


class ResetRequested(Answer):
    """The service sends an e-mail if there is an account with this address."""


class RequestPasswordReset(Command):
    """A person requests a link by e-mail to choose another password. The answer is the same for every address."""

    subject: ClassVar[str] = "cmd.password-reset.request.v1"
    answer: ClassVar[type[Answer]] = ResetRequested
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    email: Email
    address: Address | None = None


class ResetPassword(Command):
    """A person opens the link and chooses another password. All their sessions end."""

    subject: ClassVar[str] = "cmd.password.reset.v1"
    answer: ClassVar[type[Answer]] = UserState
    anonymous: ClassVar[bool] = True
    secret: ClassVar[bool] = True
    token: Token
    password: Secret
