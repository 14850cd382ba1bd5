"""What a former system knew comes over once, and is then a registration and an account like any other.

Which fields a former system must have told is ours: a renewal asks for the particulars and papers that it did not have.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from uuid import UUID, uuid5

from services.registry.domain.particulars import Particulars
from services.registry.domain.registration import Registration, Status
from services.registry.domain.user import Status as UserStatus
from services.registry.domain.user import User, must_be_givable
from shared.refusals import Refused

FORMER_SYSTEM = UUID("b3f1c4de-6a52-5c0e-9a0b-5d1f7c2e8a44")
"""The namespace in which what comes over is named: chosen once, for the same row must give the same id for ever."""
EARLIEST, YEARS_AHEAD = date(1990, 1, 1), 2
"""What lies outside is a slip of the pen: no registration is given for more than a year, and renewed early by two months."""


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


class ColleagueRefused(Refused):
    code = "colleague_refused"


class TakenMeanwhile(Refused):
    code = "taken_meanwhile"


@dataclass(frozen=True)
class Former:
    """How a registration stood in the former system."""

    status: Status
    valid_from: date
    valid_until: date
    reason: str | None

    def must_be_sound(self, on: date) -> None:
        """Refuses days and a status that cannot be."""
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


def id_of(kind: str, country: str, former: str) -> UUID:
    """The id of what comes over: the same for the same row, however often it comes."""
    return uuid5(FORMER_SYSTEM, f"{country}/{kind}/{former}")


def taken_over(exporter_id: UUID, particulars: Particulars, tax_number: str, former: Former) -> Registration:
    """The registration as it would stand had it been given here: approved first, and then suspended or expired."""
    stood = former.status is not Status.ACTIVE
    return Registration(
        exporter_id=exporter_id,
        particulars=particulars,
        tax_number=tax_number,
        status=former.status,
        valid_from=former.valid_from,
        valid_until=former.valid_until,
        reason=former.reason if former.status is Status.SUSPENDED else None,
        version=2 if stood else 1,
        approved_version=1,
        standing_version=2 if stood else 1,
    )


def registration_differs(known: Registration, row: Registration) -> list[str]:
    """In which fields what is here differs from what a row says."""
    here, there = known.particulars, row.particulars
    said = [field.name for field in fields(Particulars) if getattr(here, field.name) != getattr(there, field.name)]
    stood = ("tax_number", "status", "valid_from", "valid_until", "reason")
    return [*(name for name in stood if getattr(known, name) != getattr(row, name)), *said]


def user_differs(known: User, row: User) -> list[str]:
    """In which fields an account differs from what a row says. Its status is the person's own matter by now."""
    organisation = "company_tax_number" if row.of_company else "office"
    said = {"name": "name", "email": "email", "roles": "roles", "organisation": organisation}
    return [told for name, told in said.items() if getattr(known, name) != getattr(row, name)]


def account(
    user_id: UUID, name: str, email: str, organisation: str, roles: Iterable[str], *, of_company: bool, invited: bool, at: str
) -> User:
    """An account without a password: its owner follows the invitation, or says that they have forgotten theirs."""
    must_be_givable(set(roles), to_company=of_company, at=at)
    status = UserStatus.INVITED if invited else UserStatus.ACTIVE
    return User(user_id, name, email, None, organisation, sorted(roles), status)


def must_be_of_one_side(office: str | None, company: str | None) -> None:
    """Refuses a person of both sides, or of none."""
    if (office is None) is (company is None):
        raise OrganisationUnclear("office", "company_tax_number")
