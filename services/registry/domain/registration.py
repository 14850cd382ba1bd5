"""A company is registered for a year, and renews.

Source: the ministry's site (yearly renewal, documents to hand in); what is our own decision says so.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from services.registry.domain.particulars import Particulars, Requirements
from shared.clock import a_year_from
from shared.refusals import Refused


class Status(StrEnum):
    """Where a registration stands."""

    APPLIED = "applied"
    RETURNED = "returned"
    REFUSED = "refused"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class Asked(StrEnum):
    """Where the application for another year stands."""

    NOTHING = "nothing"
    APPLIED = "applied"
    RETURNED = "returned"


class Act(StrEnum):
    """What can be done with a registration. The first two are its beginnings, the last is the calendar's."""

    APPLY = "apply"
    IMPORT = "import"
    CORRECT = "correct"
    ATTACH = "attach"
    HAND_IN = "hand in"
    RENEW = "renew"
    APPROVE = "approve"
    RETURN = "return"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    EXPIRE = "expire"


_PREPARED = frozenset({Act.CORRECT, Act.ATTACH})
_DECIDED = _PREPARED | {Act.APPROVE, Act.RETURN, Act.REFUSE}
_CORRECTED = _PREPARED | {Act.HAND_IN, Act.REFUSE}

ALLOWED: dict[tuple[Status, Asked], frozenset[Act]] = {
    (Status.APPLIED, Asked.NOTHING): _DECIDED,
    (Status.RETURNED, Asked.NOTHING): _CORRECTED,
    (Status.REFUSED, Asked.NOTHING): _PREPARED | {Act.HAND_IN},
    (Status.ACTIVE, Asked.NOTHING): frozenset({Act.RENEW, Act.SUSPEND, Act.EXPIRE}),
    (Status.ACTIVE, Asked.APPLIED): _DECIDED | {Act.SUSPEND, Act.EXPIRE},
    (Status.ACTIVE, Asked.RETURNED): _CORRECTED | {Act.SUSPEND, Act.EXPIRE},
    (Status.SUSPENDED, Asked.NOTHING): frozenset({Act.REINSTATE, Act.EXPIRE}),
    (Status.SUSPENDED, Asked.APPLIED): (_DECIDED - {Act.APPROVE}) | {Act.REINSTATE, Act.EXPIRE},
    (Status.SUSPENDED, Asked.RETURNED): _CORRECTED | {Act.REINSTATE, Act.EXPIRE},
    (Status.EXPIRED, Asked.NOTHING): frozenset({Act.RENEW}),
    (Status.EXPIRED, Asked.APPLIED): _DECIDED,
    (Status.EXPIRED, Asked.RETURNED): _CORRECTED,
}
"""Which acts a status allows, by what is asked for beside it: the life cycle, as a registrar can check it.

A company that was refused may correct and hand in again: the refusal stays in the history (ours). While it is suspended, no
other year is approved: reinstate it first (ours).
"""


class RegistrationNotFound(Refused):
    code = "registration_not_found"


class NotAllowedNow(Refused):
    code = "registration_not_allowed_now"


class AlreadyDecided(NotAllowedNow):
    code = "registration_already_decided"


class DocumentsMissing(Refused):
    code = "registration_documents_missing"


class ParticularsMissing(Refused):
    code = "registration_particulars_missing"


class ChangedMeanwhile(Refused):
    code = "registration_changed_meanwhile"


class TooEarlyToRenew(Refused):
    code = "registration_not_renewable_yet"


class TaxNumberTaken(Refused):
    code = "tax_number_taken"


class ApplicationIdTaken(TaxNumberTaken):
    variant = "application_id"


class FormerCompanyLost(TaxNumberTaken):
    variant = "former_company_lost"


class CompanyUnknown(Refused):
    code = "company_unknown"


class CompanyNotImported(CompanyUnknown):
    variant = "not_imported"


class TaxNumberFixed(Refused):
    code = "tax_number_fixed"


@dataclass(eq=False)
class Registration:
    """A company's registration with the ministry, identified by the exporter it makes. Every act raises `version` by one.

    `valid_from` is the first day of unbroken validity. While another year is asked for, `wanted` and `new_documents` hold what
    the company hands in for it; they take the place of the former when it is approved, and are dropped when it is refused.
    `approved_version` and `standing_version`: the versions at which it was last approved, and last changed its standing.
    """

    exporter_id: UUID
    particulars: Particulars
    tax_number: str
    status: Status = Status.APPLIED
    asked: Asked = Asked.NOTHING
    documents: dict[str, str] = field(default_factory=dict)
    wanted: Particulars | None = None
    new_documents: dict[str, str] = field(default_factory=dict)
    valid_from: date | None = None
    valid_until: date | None = None
    reason: str | None = None
    renewal_remarks: str | None = None
    version: int = 1
    approved_version: int = 0
    standing_version: int = 0

    @property
    def in_hand(self) -> tuple[Particulars, dict[str, str]]:
        """What an officer decides on: for another year, what was handed in for it over what was there before."""
        return self.wanted or self.particulars, {**self.documents, **self.new_documents}

    @property
    def holds_tax_number(self) -> bool:
        """Whether nobody else can apply with its tax number; one that was refused leaves it to others (ours)."""
        return self.status is not Status.REFUSED

    @property
    def was_ever_approved(self) -> bool:
        """Whether the ministry has looked at the company and registered it, be the year over or not."""
        return self.valid_until is not None

    def holds(self, kind: str, sha256: str) -> bool:
        """Whether exactly this document is in hand."""
        return self.in_hand[1].get(kind) == sha256

    def attach(self, kind: str, sha256: str) -> bool:
        """The applicant hands in a document, or a better copy of one; says whether it is new."""
        self._must_allow(Act.ATTACH)
        if self.holds(kind, sha256):
            return False
        if self.asked is Asked.NOTHING:
            self.documents = {**self.documents, kind: sha256}
        else:
            self.new_documents = {**self.new_documents, kind: sha256}
        self.version += 1
        return True

    def correct(self, particulars: Particulars, tax_number: str | None = None) -> None:
        """The applicant changes what the application says of the company."""
        self._must_allow(Act.CORRECT)
        if tax_number not in (None, self.tax_number):
            if self.approved_version:
                raise TaxNumberFixed("tax_number")
            self.tax_number = str(tax_number)
        if self.asked is Asked.NOTHING:
            self.particulars = particulars
        else:
            self.wanted = particulars
        self.version += 1

    def hand_in(self) -> None:
        """The applicant hands in again what was returned or refused."""
        self._must_allow(Act.HAND_IN)
        if self.asked is Asked.NOTHING:
            self.status, self.reason = Status.APPLIED, None
        else:
            self.asked, self.renewal_remarks = Asked.APPLIED, None
        self.version += 1

    def renew(self, on: date, particulars: Particulars | None, requirements: Requirements) -> None:
        """The company asks for another year."""
        self._must_allow(Act.RENEW)
        first = self.renewable_from(requirements)
        if first is not None and on < first:
            raise TooEarlyToRenew("exporter_id", first=first)
        self.asked, self.wanted, self.renewal_remarks = Asked.APPLIED, particulars or self.particulars, None
        self.version += 1

    def renewable_from(self, requirements: Requirements) -> date | None:
        """From which day on another year can be asked for; None before the first."""
        return self.valid_until and self.valid_until - timedelta(days=requirements.renewable_days_before)

    def must_be_as_seen(self, version: int | None) -> None:
        """Refuses where the officer has seen another version."""
        if version not in (None, self.version):
            raise ChangedMeanwhile("version")

    def approve(self, on: date, requirements: Requirements) -> None:
        """An officer registers the company for a year from that day, inclusive.

        Another year that is approved before the old one ends starts the day after it and ends on the same day of the next year,
        so that no day is lost or counted twice (ours); after that, it starts at once.
        """
        self._must_allow(Act.APPROVE)
        particulars, documents = self.in_hand
        if lacking := particulars.lacks(requirements.particulars):
            raise ParticularsMissing(*lacking, missing=_in_words(lacking))
        if missing := sorted(requirements.documents - documents.keys()):
            raise DocumentsMissing("documents", missing=_in_words(missing))
        goes_on = self.valid_until is not None and on <= self.valid_until
        if self.valid_until is not None and goes_on:
            self.valid_until = a_year_from(self.valid_until)
        else:
            self.valid_from, self.valid_until = on, a_year_from(on)
        self.particulars, self.documents = particulars, documents
        self._forget_renewal()
        self.status, self.reason = Status.ACTIVE, None
        self.version += 1
        self.approved_version = self.standing_version = self.version

    def give_back(self, remarks: str) -> None:
        """An officer returns the application for correction, saying what to correct."""
        self._must_allow(Act.RETURN)
        if self.asked is Asked.NOTHING:
            self.status, self.reason = Status.RETURNED, remarks
        else:
            self.asked, self.renewal_remarks = Asked.RETURNED, remarks
        self.version += 1

    def refuse(self, reason: str) -> None:
        """An officer refuses the application, with the reason; a registration that is still valid stays so."""
        self._must_allow(Act.REFUSE)
        if self.asked is Asked.NOTHING:
            self.status, self.reason = Status.REFUSED, reason
        else:
            self._forget_renewal()
            self.renewal_remarks = reason
        self.version += 1

    def suspend(self, reason: str) -> None:
        """An officer suspends the registration, with the reason."""
        self._must_allow(Act.SUSPEND)
        self._now_stands(Status.SUSPENDED, reason)

    def reinstate(self) -> None:
        """An officer reinstates a suspended registration; its year is not prolonged."""
        self._must_allow(Act.REINSTATE)
        self._now_stands(Status.ACTIVE, None)

    def expire(self) -> None:
        """Its year is over."""
        self._must_allow(Act.EXPIRE)
        self._now_stands(Status.EXPIRED, None)

    def is_over(self, on: date) -> bool:
        """Whether its last day has passed and it is still taken for valid."""
        return self.status in (Status.ACTIVE, Status.SUSPENDED) and self.valid_until is not None and on > self.valid_until

    def was_approved(self, valid_from: date, valid_until: date, version: int) -> None:
        """It is known from elsewhere that it was approved, whatever is remembered here."""
        if version > self.approved_version:
            self.valid_from, self.valid_until, self.approved_version = valid_from, valid_until, version
            self._forget_renewal()
        self.was(Status.ACTIVE, version)

    def was(self, status: Status, version: int) -> None:
        """It is known from elsewhere how it stood at a version."""
        if version > self.standing_version:
            self.status, self.standing_version = status, version
        self.version = max(self.version, version)

    @property
    def validity(self) -> tuple[date, date]:
        """The first and the last day on which the company may ask for certificates. Raises ValueError."""
        if self.valid_from is None or self.valid_until is None:
            raise ValueError(f"the registration {self.exporter_id} was never approved")
        return self.valid_from, self.valid_until

    def _now_stands(self, status: Status, reason: str | None) -> None:
        self.status, self.reason = status, reason
        self.version += 1
        self.standing_version = self.version

    def _forget_renewal(self) -> None:
        self.asked, self.wanted, self.new_documents, self.renewal_remarks = Asked.NOTHING, None, {}, None

    def _must_allow(self, act: Act) -> None:
        if act in ALLOWED[self.status, self.asked]:
            return
        if act in (Act.APPROVE, Act.RETURN, Act.REFUSE, Act.CORRECT, Act.ATTACH) and self.asked is Asked.NOTHING:
            raise AlreadyDecided(status=self.status, act=act)
        beside = "" if self.asked is Asked.NOTHING else f", renewal {self.asked}"
        raise NotAllowedNow(status=f"{self.status}{beside}", act=act)


def _in_words(names: list[str]) -> str:
    return ", ".join(names).replace("_", " ")
