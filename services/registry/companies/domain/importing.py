"""Registrations and accounts of a former system are imported once.

The required fields are ours: a renewal asks for the particulars and documents that the former system did not have.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID

from services.registry.companies.domain.life_cycle import Status
from services.registry.companies.domain.particulars import Particulars
from services.registry.companies.domain.registration import Registration
from services.registry.identity.domain.user import Status as UserStatus
from services.registry.identity.domain.user import User, must_be_givable
from shared.refusals import Refused

EARLIEST, YEARS_AHEAD = date(1990, 1, 1), 2
"""Bounds for typing errors. A registration lasts a year, and is renewed at most two months early."""


class ValidityUnsound(Refused):
    code = "validity_unsound"


class ValidFromTooEarly(ValidityUnsound):
    variant = "too_early"


class ValidUntilTooLate(ValidityUnsound):
    variant = "too_late"


class StatusUnsound(Refused):
    code = "status_unsound"


class NotExpiredYet(StatusUnsound):
    variant = "not_expired_yet"


class ReasonMissing(Refused):
    code = "reason_missing"


class OrganisationUnclear(Refused):
    code = "organisation_unclear"


@dataclass(frozen=True, kw_only=True)
class FormerRegistration:
    """The status of a registration in the former system."""

    status: Status
    valid_from: date
    valid_until: date
    reason: str | None

    def must_be_sound(self, on: date) -> None:
        """Raises ValidityUnsound, StatusUnsound or ReasonMissing."""
        if self.valid_from > self.valid_until:
            raise ValidityUnsound("valid_from", "valid_until")
        if self.valid_from < EARLIEST:
            raise ValidFromTooEarly("valid_from", earliest=EARLIEST)
        if self.valid_until.year > on.year + YEARS_AHEAD:
            raise ValidUntilTooLate("valid_until", year=on.year + YEARS_AHEAD)
        over = on > self.valid_until
        if over and self.status is not Status.EXPIRED:
            raise StatusUnsound("status", "valid_until", last=self.valid_until)
        if not over and self.status is Status.EXPIRED:
            raise NotExpiredYet("status", "valid_until", last=self.valid_until)
        if self.status is Status.SUSPENDED and not self.reason:
            raise ReasonMissing("reason")


def imported_registration(
    exporter_id: UUID, particulars: Particulars, tax_number: str, former: FormerRegistration
) -> Registration:
    """The registration as if it had been approved here, and then suspended or expired."""
    changed = former.status is not Status.ACTIVE
    return Registration(
        exporter_id=exporter_id,
        particulars=particulars,
        tax_number=tax_number,
        status=former.status,
        valid_from=former.valid_from,
        valid_until=former.valid_until,
        reason=former.reason if former.status is Status.SUSPENDED else None,
        version=2 if changed else 1,
        approved_version=1,
        standing_version=2 if changed else 1,
    )


def registration_differs(known: Registration, row: Registration) -> list[str]:
    """The fields in which a known registration differs from an imported row."""
    here, there = known.particulars, row.particulars
    particulars = [field.name for field in fields(Particulars) if getattr(here, field.name) != getattr(there, field.name)]
    others = ("tax_number", "status", "valid_from", "valid_until", "reason")
    return [*(name for name in others if getattr(known, name) != getattr(row, name)), *particulars]


def user_differs(known: User, row: User) -> list[str]:
    """The fields in which a known account differs from an imported row. The status is not compared: the person changes it."""
    organisation = "company_tax_number" if row.of_company else "office"
    columns = {"name": "name", "email": "email", "roles": "roles", "organisation": organisation}
    return [column for name, column in columns.items() if getattr(known, name) != getattr(row, name)]


def imported_user(
    user_id: UUID,
    *,
    name: str,
    email: str,
    organisation: str,
    roles: Iterable[str],
    of_company: bool,
    invited: bool,
    at: str,
) -> User:
    """An account without a password. Its owner gets one by the invitation, or by a password reset."""
    must_be_givable(set(roles), to_company=of_company, at=at)
    status = UserStatus.INVITED if invited else UserStatus.ACTIVE
    return User(
        user_id=user_id,
        name=name,
        email=email,
        password_hash=None,
        organisation=organisation,
        roles=sorted(roles),
        status=status,
    )


def must_be_of_one_side(office: str | None, company: str | None) -> None:
    """A person belongs to an office or to a company. Raises OrganisationUnclear."""
    if (office is None) is (company is None):
        raise OrganisationUnclear("office", "company_tax_number")
