"""The rules of a certificate of origin, from draft to issue.

Sources: ATIGA Annex 7 (Form D and overleaf notes) and Annex 8 (Operational Certification Procedures, `OCP`).
"""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from services.certificates.domain.exporter import Exporter, ExporterNotRegistered
from services.certificates.domain.form import Criterion
from shared.clock import a_year_from
from shared.refusals import Refused


class Status(StrEnum):
    """The status of a certificate."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    ISSUED = "issued"
    REJECTED = "rejected"


class Act(StrEnum):
    """What can be done with a certificate."""

    REVISE = "revise"
    SUBMIT = "submit"
    RETURN = "return"
    REVIEW = "review"
    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"
    ISSUE = "issue"


ALLOWED: dict[Status, frozenset[Act]] = {
    Status.DRAFT: frozenset({Act.REVISE, Act.SUBMIT}),
    Status.SUBMITTED: frozenset({Act.RETURN, Act.REVIEW, Act.REJECT}),
    Status.RETURNED: frozenset({Act.REVISE, Act.SUBMIT}),
    Status.REVIEWED: frozenset({Act.RETURN, Act.APPROVE, Act.REJECT}),
    Status.APPROVED: frozenset({Act.HOLD, Act.ISSUE}),
    Status.ISSUED: frozenset(),
    Status.REJECTED: frozenset(),
}
"""Which acts a status allows: the life cycle of a certificate."""


class CertificateNotFound(Refused):
    code = "certificate_not_found"


class CertificateIdTaken(Refused):
    code = "certificate_id_taken"


class NotAllowedNow(Refused):
    code = "certificate_not_allowed_now"


class AlreadySubmitted(NotAllowedNow):
    code = "certificate_already_submitted"


class FourEyesRequired(Refused):
    code = "four_eyes_required"


class CertificateChanged(Refused):
    code = "certificate_changed"


class DepartureTooLongAgo(Refused):
    code = "departure_too_long_ago"


class DepartureTooFarAhead(Refused):
    code = "departure_too_far_ahead"


class OtherOffice(Refused):
    code = "other_office"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the consignment, with the ministry's findings on the product. FOB is in `fob_currency`, weight in kg."""

    product_id: UUID
    description: str
    criterion: Criterion
    handicraft: bool
    hs_code: str
    marks: str
    packages: int
    package_kind: str
    quantity: Decimal
    unit: str
    gross_weight_kg: Decimal
    fob_amount: Decimal
    fob_currency: str
    invoice_number: str
    invoice_date: date


MAX_BYTES = 400_000
"""Bytes of all items of a certificate, 400 each besides their texts. The document must fit into one message."""


class ConsignmentTooLarge(Refused):
    code = "consignment_too_large"


@dataclass(frozen=True, kw_only=True)
class Consignment:
    """A consignment as the exporter describes it: boxes 2, 3 and 5 to 10."""

    office: str
    destination: str
    consignee_name: str
    consignee_address: str
    departure_date: date
    vessel: str
    port_of_discharge: str
    items: list[Item]

    def must_fit(self) -> None:
        """Refuses a consignment that does not fit into one document."""
        texts = ((item.description, item.marks, item.package_kind, item.invoice_number) for item in self.items)
        if sum(400 + len("".join(each).encode()) for each in texts) > MAX_BYTES:
            raise ConsignmentTooLarge("consignment.items")


@dataclass(eq=False, kw_only=True)
class Certificate:
    """A certificate of origin. Every act raises `version` by one. `agent_id`: the agent that drafted it, if an agent did."""

    certificate_id: UUID
    exporter_id: UUID
    form: str
    consignment: Consignment
    office: str = field(init=False)
    status: Status = Status.DRAFT
    submission: int = 0
    submitted_on: date | None = None
    remarks: str | None = None
    worksheet: str | None = None
    reviewed_by: UUID | None = None
    approved_by: UUID | None = None
    held_because: str | None = None
    reference: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    issued_retroactively: bool = False
    agent_id: UUID | None = None
    version: int = 1

    def __post_init__(self) -> None:
        self.office = self.consignment.office

    def revise(self, consignment: Consignment) -> None:
        """The exporter changes a draft or corrects a returned certificate."""
        self._must_allow(Act.REVISE)
        self.consignment = consignment
        self.office = consignment.office
        self.version += 1

    def submit(self, on: date, exporter: Exporter | None) -> None:
        """The exporter submits the certificate. From now on only an officer may change it."""
        if self.status in (Status.SUBMITTED, Status.REVIEWED, Status.APPROVED, Status.ISSUED):
            raise AlreadySubmitted("certificate_id", status=self.status)
        self._must_allow(Act.SUBMIT)
        if self.consignment.departure_date > a_year_from(on):
            raise DepartureTooFarAhead("consignment.transport.departure_date")
        self.must_be_issuable(on, exporter)
        self.status = Status.SUBMITTED
        self.remarks = None
        self.reviewed_by = None
        self.worksheet = None
        self.submission += 1
        self.submitted_on = on
        self.version += 1

    def was_submitted(self, submission: int) -> None:
        """Recovery: another service knows this submission, so the next one counts on from it."""
        self.submission = max(self.submission, submission)

    def return_for_correction(self, remarks: str) -> None:
        """An officer returns it for correction. The remarks say what to correct."""
        self._must_allow(Act.RETURN)
        self.status = Status.RETURNED
        self.remarks = remarks
        self.version += 1

    def review(self, officer: UUID, worksheet: str) -> None:
        """An officer finds it complete and the goods originating. The worksheet gives the reasons."""
        self._must_allow(Act.REVIEW)
        self.status = Status.REVIEWED
        self.reviewed_by = officer
        self.worksheet = worksheet
        self.version += 1

    def approve(self, officer: UUID) -> None:
        """A second officer approves it."""
        self._must_allow(Act.APPROVE)
        if officer == self.reviewed_by:
            raise FourEyesRequired()
        self.status = Status.APPROVED
        self.approved_by = officer
        self.version += 1

    def reject(self, reason: str) -> None:
        """An officer rejects it for a reason."""
        self._must_allow(Act.REJECT)
        self.status = Status.REJECTED
        self.remarks = reason
        self.version += 1

    def must_be_as_seen(self, version: int | None) -> None:
        """Refuses an officer who has read another version. Raises CertificateChanged."""
        if version is not None and version != self.version:
            raise CertificateChanged("version")

    def must_be_issuable(self, on: date, exporter: Exporter | None) -> None:
        """Refuses unless the exporter is registered that day and the goods left at most a year before.

        Raises ExporterNotRegistered, DepartureTooLongAgo.
        """
        if exporter is None:
            raise ExporterNotRegistered("exporter_id")
        exporter.must_be_registered(on)
        if on > a_year_from(self.consignment.departure_date):
            raise DepartureTooLongAgo("consignment.transport.departure_date")

    def hold(self, because: str) -> None:
        """It is approved and paid but cannot be issued today. `because`: the code of the reason, which everybody can read."""
        self._must_allow(Act.HOLD)
        self.held_because = because
        self.version += 1

    def issue(self, reference: str, on: date) -> None:
        """It gets its number and is valid for a year (OCP Rule 14). After departure it is issued retroactively (Rule 10)."""
        self._must_allow(Act.ISSUE)
        self.status = Status.ISSUED
        self.reference = reference
        self.held_because = None
        self.issued_on = on
        self.valid_until = a_year_from(on)
        self.issued_retroactively = self.consignment.departure_date < on
        self.version += 1

    def was_issued(self, reference: str, on: date, valid_until: date, version: int, *, retroactively: bool) -> None:
        """Recovery: another service knows that it was issued."""
        self.status = Status.ISSUED
        self.reference = reference
        self.held_because = None
        self.issued_on = on
        self.valid_until = valid_until
        self.issued_retroactively = retroactively
        self.version = version

    def waits_for(self, *, settled: bool) -> tuple[str, ...]:
        """What must happen before it is issued, as codes. Empty after a decision."""
        acts = {
            Status.DRAFT: ("submission",),
            Status.SUBMITTED: ("review", "approval"),
            Status.RETURNED: ("correction",),
            Status.REVIEWED: ("approval",),
            Status.APPROVED: (),
        }.get(self.status)
        if acts is None:
            return ()
        payment = ("payment",) if not settled and self.submission else ()
        held = (self.held_because,) if self.held_because else ()
        return acts + payment + held

    def _must_allow(self, act: Act) -> None:
        if act not in ALLOWED[self.status]:
            raise NotAllowedNow("certificate_id", status=self.status, act=act)


NUMBER = re.compile(r"(?P<form>[A-Z0-9]{1,4})(?P<year>[0-9]{4})-(?P<office>[A-Z]{2,5})-(?P<serial>[0-9]{6,9})")


def reference_of(form: str, year: int, office: str, serial: int) -> str:
    """The number of a certificate, such as `D2026-PNH-000123`, by office, form and year (OCP Rule 7(3); template ours)."""
    return f"{form}{year}-{office}-{serial:06}"


def number_of(reference: str) -> tuple[str, int, str, int]:
    """The form, year, office and serial number in a reference. Raises ValueError."""
    parts = NUMBER.fullmatch(reference)
    if parts is None:
        raise ValueError(f"{reference} is not the number of a certificate")
    return parts["form"], int(parts["year"]), parts["office"], int(parts["serial"])
