"""A company is registered for a year, and renews.

Source: the ministry's site (yearly renewal, required documents). Our own decisions are marked "ours".
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from services.registry.companies.domain.life_cycle import ALLOWED, Act, Asked, Status
from services.registry.companies.domain.particulars import Particulars, Requirements
from services.registry.companies.domain.refusals import (
    AlreadyDecided,
    ChangedMeanwhile,
    DocumentsMissing,
    NotAllowedNow,
    ParticularsMissing,
    TaxNumberFixed,
    TooEarlyToRenew,
)
from shared.clock import a_year_from


@dataclass(eq=False, kw_only=True)
class Registration:
    """A company's registration with the ministry, identified by its exporter id. Every act raises `version` by one.

    `valid_from` is the first day of unbroken validity. `wanted` and `new_documents` belong to the application for another year.
    An approval puts them in place of the former ones; a refusal drops them.
    `approved_version`: the version of the last approval. `standing_version`: the version at which the status last changed.
    `waiting_since`: the instant from which an application or renewal waits for an officer.
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
    waiting_since: datetime | None = None

    @property
    def waits(self) -> bool:
        """Whether an application or a renewal waits for an officer."""
        return Status.APPLIED is self.status or self.asked is Asked.APPLIED

    @property
    def in_hand(self) -> tuple[Particulars, dict[str, str]]:
        """The particulars and documents that an officer decides on. Those of a renewal replace the former ones."""
        return self.wanted or self.particulars, {**self.documents, **self.new_documents}

    @property
    def holds_tax_number(self) -> bool:
        """Whether the registration reserves its tax number. A refused one does not (ours)."""
        return self.status is not Status.REFUSED

    @property
    def was_ever_approved(self) -> bool:
        """Whether the ministry has ever registered the company."""
        return self.valid_until is not None

    def holds(self, kind: str, sha256: str) -> bool:
        """Whether exactly this document is attached."""
        return self.in_hand[1].get(kind) == sha256

    def attach(self, kind: str, sha256: str) -> bool:
        """The applicant attaches a document, or replaces one. Returns whether it is new."""
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
        """The applicant corrects the application."""
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
        """The applicant hands in the application again after it was returned or refused."""
        self._must_allow(Act.HAND_IN)
        if self.asked is Asked.NOTHING:
            self.status = Status.APPLIED
            self.reason = None
        else:
            self.asked = Asked.APPLIED
            self.renewal_remarks = None
        self.version += 1

    def renew(self, on: date, particulars: Particulars | None, requirements: Requirements) -> None:
        """The company applies for another year."""
        self._must_allow(Act.RENEW)
        first = self.renewable_from(requirements)
        if first is not None and on < first:
            raise TooEarlyToRenew("exporter_id", first=first)
        self.asked = Asked.APPLIED
        self.wanted = particulars or self.particulars
        self.renewal_remarks = None
        self.version += 1

    def renewable_from(self, requirements: Requirements) -> date | None:
        """The first day on which the company can apply for another year; None before the first approval."""
        return self.valid_until and self.valid_until - timedelta(days=requirements.renewable_days_before)

    def note_waiting(self, now: datetime) -> None:
        """After an act: notes since when an officer's decision is awaited. A correction does not begin the wait again."""
        self.waiting_since = (self.waiting_since or now) if self.waits else None

    def must_be_as_seen(self, version: int | None) -> None:
        """The officer must have seen the present version. Raises ChangedMeanwhile."""
        if version not in (None, self.version):
            raise ChangedMeanwhile("version")

    def approve(self, on: date, requirements: Requirements) -> None:
        """An officer registers the company for a year from that day, inclusive.

        A renewal before the last day adds a year to it: no day is lost or counted twice (ours). A renewal after the
        last day starts at once.
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
            self.valid_from = on
            self.valid_until = a_year_from(on)
        self.particulars = particulars
        self.documents = documents
        self._drop_renewal()
        self.status = Status.ACTIVE
        self.reason = None
        self.version += 1
        self.approved_version = self.version
        self.standing_version = self.version

    def return_for_correction(self, remarks: str) -> None:
        """An officer returns the application for correction, with remarks."""
        self._must_allow(Act.RETURN)
        if self.asked is Asked.NOTHING:
            self.status = Status.RETURNED
            self.reason = remarks
        else:
            self.asked = Asked.RETURNED
            self.renewal_remarks = remarks
        self.version += 1

    def refuse(self, reason: str) -> None:
        """An officer refuses the application, with the reason. A refused renewal leaves the present year valid."""
        self._must_allow(Act.REFUSE)
        if self.asked is Asked.NOTHING:
            self.status = Status.REFUSED
            self.reason = reason
        else:
            self._drop_renewal()
            self.renewal_remarks = reason
        self.version += 1

    def suspend(self, reason: str) -> None:
        """An officer suspends the registration, with the reason."""
        self._must_allow(Act.SUSPEND)
        self._change_standing(Status.SUSPENDED, reason)

    def reinstate(self) -> None:
        """An officer reinstates a suspended registration. Its last day stays the same."""
        self._must_allow(Act.REINSTATE)
        self._change_standing(Status.ACTIVE, None)

    def expire(self) -> None:
        """The registration expires after its last day."""
        self._must_allow(Act.EXPIRE)
        self._change_standing(Status.EXPIRED, None)

    def is_over(self, on: date) -> bool:
        """Whether the last day has passed and the registration has not expired yet."""
        return self.status in (Status.ACTIVE, Status.SUSPENDED) and self.valid_until is not None and on > self.valid_until

    def restore_approval(self, valid_from: date, valid_until: date, version: int) -> None:
        """Restores an approval from its event, if it is newer than the last one known here."""
        if version > self.approved_version:
            self.valid_from = valid_from
            self.valid_until = valid_until
            self.approved_version = version
            self._drop_renewal()
        self.restore_standing(Status.ACTIVE, version)

    def restore_standing(self, status: Status, version: int) -> None:
        """Restores a status from its event, if it is newer than the one known here."""
        if version > self.standing_version:
            self.status = status
            self.standing_version = version
        self.restore_version(version)

    def restore_version(self, version: int) -> None:
        """Restores the version, so that no later act has one that was announced before."""
        self.version = max(self.version, version)

    @property
    def validity(self) -> tuple[date, date]:
        """The first and the last day on which the company may apply for certificates. Raises ValueError."""
        if self.valid_from is None or self.valid_until is None:
            raise ValueError(f"the registration {self.exporter_id} was never approved")
        return self.valid_from, self.valid_until

    def _change_standing(self, status: Status, reason: str | None) -> None:
        self.status = status
        self.reason = reason
        self.version += 1
        self.standing_version = self.version

    def _drop_renewal(self) -> None:
        self.asked = Asked.NOTHING
        self.wanted = None
        self.new_documents = {}
        self.renewal_remarks = None
        self.waiting_since = None

    def _must_allow(self, act: Act) -> None:
        if act in ALLOWED[self.status, self.asked]:
            return
        if act in (Act.APPROVE, Act.RETURN, Act.REFUSE, Act.CORRECT, Act.ATTACH) and self.asked is Asked.NOTHING:
            raise AlreadyDecided(status=self.status, act=act)
        beside = "" if self.asked is Asked.NOTHING else f", renewal {self.asked}"
        raise NotAllowedNow(status=f"{self.status}{beside}", act=act)


def _in_words(names: list[str]) -> str:
    return ", ".join(names).replace("_", " ")
