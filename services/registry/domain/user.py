"""A person has an account by invitation, and roles at a company or an office of the ministry."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.refusals import Refused

COMPANY_ROLES = frozenset({"company_administrator", "preparer", "signatory"})
MINISTRY_ROLES = frozenset({"registration_officer", "reviewer", "approver", "cashier", "administrator", "auditor"})
CUSTOMS_ROLES = frozenset({"customs_viewer"})

APART = {"administrator": MINISTRY_ROLES - {"administrator"}, "auditor": MINISTRY_ROLES - {"auditor"}}
"""Roles that one person does not have together (ours): who gives rights does not use them, who examines does not act."""


class Status(StrEnum):
    """Where an account stands."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class Act(StrEnum):
    """What can be done with an account."""

    INVITE_AGAIN = "invite_again"
    ACCEPT = "accept"
    RESET_PASSWORD = "reset_password"  # noqa: S105
    CHANGE_ROLES = "change_roles"
    TRANSFER = "transfer"
    DEACTIVATE = "deactivate"
    SIGN_IN = "sign_in"


ALLOWED: dict[Status, frozenset[Act]] = {
    Status.INVITED: frozenset({Act.INVITE_AGAIN, Act.ACCEPT, Act.CHANGE_ROLES, Act.TRANSFER, Act.DEACTIVATE}),
    Status.ACTIVE: frozenset({Act.RESET_PASSWORD, Act.CHANGE_ROLES, Act.TRANSFER, Act.DEACTIVATE, Act.SIGN_IN}),
    Status.DEACTIVATED: frozenset(),
}
"""Which acts a status allows: the life of an account."""


class UserNotFound(Refused):
    code = "user_not_found"


class UserIdTaken(Refused):
    code = "user_id_taken"


class FormerIdTaken(UserIdTaken):
    variant = "former_id"


class EmailTaken(Refused):
    code = "email_taken"


class UserNotAllowedNow(Refused):
    code = "user_not_allowed_now"


class RolesNotYoursToGive(Refused):
    code = "roles_not_yours_to_give"


class OfficeUnknown(Refused):
    code = "office_unknown"


class RolesKeptApart(Refused):
    code = "roles_kept_apart"


class NotOnOneself(Refused):
    code = "not_on_oneself"


class PasswordNotYoursToChoose(Refused):
    code = "password_not_yours_to_choose"


class NotRegisteredYet(Refused):
    code = "not_registered_yet"


class TooManyColleagues(Refused):
    code = "too_many_colleagues"


MOST_COLLEAGUES = 200
"""Open accounts of one company (ours)."""


@dataclass(eq=False)
class User:
    """A person with an account: of a company (`organisation` is its exporter id) or of an office of the ministry."""

    user_id: UUID
    name: str
    email: str
    password_hash: str | None
    organisation: str
    roles: list[str]
    status: Status = Status.ACTIVE

    @property
    def of_company(self) -> bool:
        """Whether this is somebody of a company; all others are of the ministry or of customs."""
        return COMPANY_ROLES.issuperset(self.roles)

    @property
    def needs_second_factor(self) -> bool:
        """Whoever acts for the state, or reads what only the state may, signs in with a second factor."""
        return not self.of_company

    @property
    def may_sign_in(self) -> bool:
        """Whether this account is open."""
        return Act.SIGN_IN in ALLOWED[self.status]

    @property
    def is_invited(self) -> bool:
        """Whether the account waits for its owner to choose a password by the link in a letter."""
        return self.status is Status.INVITED

    def invited_again(self) -> None:
        """The letter is sent once more."""
        self._must_allow(Act.INVITE_AGAIN)

    def accept(self, password_hash: str) -> None:
        """The person has followed the link and chosen a password."""
        self._must_allow(Act.ACCEPT)
        self.password_hash, self.status = password_hash, Status.ACTIVE

    def reset_password(self, password_hash: str) -> None:
        """The person has another password from now on."""
        self._must_allow(Act.RESET_PASSWORD)
        self.password_hash = password_hash

    def change_roles(self, roles: set[str], *, by: UUID) -> None:
        """The person has these roles from now on, of the side they are on. Raises NotOnOneself, RolesNotYoursToGive."""
        self._must_allow(Act.CHANGE_ROLES)
        self._must_not_be(by)
        must_be_givable(roles, to_company=self.of_company)
        self.roles = sorted(roles)

    def transfer(self, office: str, *, by: UUID) -> None:
        """The officer belongs to another office from now on."""
        self._must_allow(Act.TRANSFER)
        self._must_not_be(by)
        self.organisation = office

    def deactivate(self, *, by: UUID) -> None:
        """The account is closed for good; who acted stays on record."""
        self._must_allow(Act.DEACTIVATE)
        self._must_not_be(by)
        self.status, self.password_hash = Status.DEACTIVATED, None

    def lose_second_factor(self, *, by: UUID) -> None:
        """A colleague says that the person's second factor is lost."""
        self._must_allow(Act.RESET_PASSWORD)
        self._must_not_be(by)

    def _must_not_be(self, other: UUID) -> None:
        if self.user_id == other:
            raise NotOnOneself()

    def _must_allow(self, act: Act) -> None:
        if act not in ALLOWED[self.status]:
            raise UserNotAllowedNow("user_id", status=self.status, act=act.replace("_", " "))


def must_be_givable(roles: set[str], *, to_company: bool, at: str = "") -> None:
    """Refuses roles of another side, and those that one person does not have together; `at` stands before the field."""
    sides = (COMPANY_ROLES,) if to_company else (MINISTRY_ROLES, CUSTOMS_ROLES)
    if not any(roles <= side for side in sides):
        raise RolesNotYoursToGive(f"{at}roles", roles=frozenset().union(*sides))
    if any(role in roles and roles & others for role, others in APART.items()):
        raise RolesKeptApart(f"{at}roles")
