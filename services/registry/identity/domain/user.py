"""Accounts: a person is invited, and has roles at a company or at an office of the ministry."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.refusals import Refused

ADMINISTRATOR, AUDITOR, SIGNATORY = "administrator", "auditor", "signatory"
COMPANY_ROLES = frozenset({"company_administrator", "preparer", SIGNATORY})
MINISTRY_ROLES = frozenset({"registration_officer", "reviewer", "approver", "cashier", ADMINISTRATOR, AUDITOR})
CUSTOMS_ROLES = frozenset({"customs_viewer", "customs_officer"})

INCOMPATIBLE = {ADMINISTRATOR: MINISTRY_ROLES - {ADMINISTRATOR}, AUDITOR: MINISTRY_ROLES - {AUDITOR}}
"""Roles that one person cannot have together (ours): administrators and auditors take no decisions."""


class Status(StrEnum):
    """The status of an account."""

    INVITED = "invited"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"


class Act(StrEnum):
    """An act on an account."""

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
"""The acts that each status allows: the life cycle of an account."""


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


MAX_COLLEAGUES = 200
"""The most open accounts of one company (ours)."""


@dataclass(eq=False, kw_only=True)
class User:
    """A person with an account. `organisation` is a company's exporter id, or the code of an office.

    `language`: None until the person chooses one. E-mails are in both languages until then.
    """

    user_id: UUID
    name: str
    email: str
    password_hash: str | None
    organisation: str
    roles: list[str]
    status: Status = Status.ACTIVE
    language: str | None = None

    @property
    def of_company(self) -> bool:
        """Whether the person belongs to a company. All others belong to the ministry or to customs."""
        return COMPANY_ROLES.issuperset(self.roles)

    def must_have_second_factor(self, *, signatories: bool) -> bool:
        """Whether the person needs a second factor: officers do. `signatories`: whether those of companies do too."""
        return not self.of_company or (signatories and SIGNATORY in self.roles)

    @property
    def may_sign_in(self) -> bool:
        """Whether the account is active."""
        return Act.SIGN_IN in ALLOWED[self.status]

    @property
    def is_invited(self) -> bool:
        """Whether the person still has to choose a password by the link in the invitation."""
        return self.status is Status.INVITED

    def name_for(self, organisations: set[str], *, officer: bool) -> str | None:
        """The name that a reader of these organisations learns, or None. An officer learns every name.

        Others learn the names of their own people, and of an officer only the office.
        """
        if officer or self.organisation in organisations:
            return self.name
        return None if self.of_company else f"Officer of {self.organisation}"

    def choose_language(self, language: str) -> None:
        """The person chooses the language of notices, e-mails and pages."""
        self.language = language

    def invited_again(self) -> None:
        """The person gets another invitation."""
        self._must_allow(Act.INVITE_AGAIN)

    def accept(self, password_hash: str) -> None:
        """The person accepts the invitation and chooses a password."""
        self._must_allow(Act.ACCEPT)
        self.password_hash = password_hash
        self.status = Status.ACTIVE

    def reset_password(self, password_hash: str) -> None:
        """The person replaces a forgotten password."""
        self._must_allow(Act.RESET_PASSWORD)
        self.password_hash = password_hash

    def change_roles(self, roles: set[str], *, by: UUID) -> None:
        """The person gets these roles instead of the former ones. Raises NotOnOneself, RolesNotYoursToGive, RolesKeptApart."""
        self._must_allow(Act.CHANGE_ROLES)
        self._must_not_be(by)
        must_be_givable(roles, to_company=self.of_company)
        self.roles = sorted(roles)

    def transfer(self, office: str, *, by: UUID) -> None:
        """The officer moves to another office."""
        self._must_allow(Act.TRANSFER)
        self._must_not_be(by)
        self.organisation = office

    def deactivate(self, *, by: UUID) -> None:
        """The account is closed for good. The record of its acts stays."""
        self._must_allow(Act.DEACTIVATE)
        self._must_not_be(by)
        self.status = Status.DEACTIVATED
        self.password_hash = None

    def lose_second_factor(self, *, by: UUID) -> None:
        """A colleague removes the second factor that the person has lost."""
        self._must_allow(Act.RESET_PASSWORD)
        self._must_not_be(by)

    def _must_not_be(self, other: UUID) -> None:
        if self.user_id == other:
            raise NotOnOneself()

    def _must_allow(self, act: Act) -> None:
        if act not in ALLOWED[self.status]:
            raise UserNotAllowedNow("user_id", status=self.status, act=act.replace("_", " "))


def must_be_givable(roles: set[str], *, to_company: bool, at: str = "") -> None:
    """Raises RolesNotYoursToGive or RolesKeptApart. `at` is the path before the field."""
    sides = (COMPANY_ROLES,) if to_company else (MINISTRY_ROLES, CUSTOMS_ROLES)
    if not any(roles <= side for side in sides):
        raise RolesNotYoursToGive(f"{at}roles", roles=frozenset().union(*sides))
    if any(role in roles and roles & others for role, others in INCOMPATIBLE.items()):
        raise RolesKeptApart(f"{at}roles")
