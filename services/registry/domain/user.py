"""A person signs in with a password, and has roles at a company or an office of the ministry."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.refusals import Refused

COMPANY_ROLES = frozenset({"company_administrator", "preparer", "signatory"})
MINISTRY_ROLES = frozenset({"registration_officer", "reviewer", "approver", "cashier", "administrator", "auditor"})
TOKEN_LASTS = timedelta(hours=8)
"""How long a session lasts (ours; short tokens with refresh come with the identity issue)."""


class EmailTaken(Refused):
    """There is an account with this e-mail address already."""

    code = "email_taken"


class RolesNotYoursToGive(Refused):
    """These roles cannot be given here: company roles belong to companies, ministry roles to offices."""

    code = "roles_not_yours_to_give"


class OfficeMissing(Refused):
    """An officer belongs to an office: name it."""

    code = "office_missing"


class SignInFailed(Refused):
    """The e-mail address or the password is wrong."""

    code = "sign_in_failed"


@dataclass(eq=False)
class User:
    """A person with an account: of a company (`organisation` is its exporter id) or of an office of the ministry."""

    user_id: UUID
    name: str
    email: str
    password_hash: str
    organisation: str
    roles: list[str]


def must_be_givable(roles: set[str], *, by_ministry: bool) -> None:
    """Refuses roles that do not belong to the side of the administrator who gives them."""
    allowed = MINISTRY_ROLES if by_ministry else COMPANY_ROLES
    if roles - allowed:
        raise RolesNotYoursToGive(f"You can give: {', '.join(sorted(allowed))}.", "roles")
