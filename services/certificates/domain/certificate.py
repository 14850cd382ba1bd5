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
    """Where a certificate stands."""

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
    ISSUE = "issue"


ALLOWED: dict[Status, frozenset[Act]] = {
    Status.DRAFT: frozenset({Act.REVISE, Act.SUBMIT}),
    Status.SUBMITTED: frozenset({Act.RETURN, Act.REVIEW, Act.REJECT}),
    Status.RETURNED: frozenset({Act.REVISE, Act.SUBMIT}),
    Status.REVIEWED: frozenset({Act.RETURN, Act.APPROVE, Act.REJECT}),
    Status.APPROVED: frozenset({Act.ISSUE}),
    Status.ISSUED: frozenset(),
    Status.REJECTED: frozenset(),
}
"""Which acts a status allows: the life cycle, as a registrar can check it."""


class CertificateNotFound(Refused):
    """There is no such certificate."""

    code = "certificate_not_found"


class CertificateIdTaken(Refused):
    """This certificate id is in use: choose a new one."""

    code = "certificate_id_taken"


class NotAllowedNow(Refused):
    """The certificate's status does not allow this."""

    code = "certificate_not_allowed_now"


class AlreadySubmitted(NotAllowedNow):
    """The certificate has been submitted already."""

    code = "certificate_already_submitted"


class FourEyesRequired(Refused):
    """Whoever reviewed a certificate cannot approve it: a second officer must."""

    code = "four_eyes_required"


class CertificateChanged(Refused):
    """The certificate has changed since you saw it: look at it again."""

    code = "certificate_changed"


class DepartureTooLongAgo(Refused):
    """The goods left more than a year ago: no certificate can be issued any more (OCP Rule 10)."""

    code = "departure_too_long_ago"


class DepartureTooFarAhead(Refused):
    """The goods leave in more than a year: a certificate is issued about when they leave (OCP Rule 10; the year is ours)."""

    code = "departure_too_far_ahead"


class OtherOffice(Refused):
    """This certificate belongs to another issuing office."""

    code = "other_office"


@dataclass(frozen=True)
class Item:
    """One line of the consignment, with what the ministry found of the product. FOB is in `fob_currency`, weight in kg."""

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


MOST_BYTES = 400_000
"""Of what one certificate says of its items, 400 each besides their words: its document must travel in one message."""


class ConsignmentTooLarge(Refused):
    """One certificate cannot hold as much: divide the consignment among several, or have products described in fewer words."""

    code = "consignment_too_large"


@dataclass(frozen=True)
class Consignment:
    """What the exporter says of a consignment: boxes 2, 3 and 5 to 10."""

    office: str
    destination: str
    consignee_name: str
    consignee_address: str
    departure_date: date
    vessel: str
    port_of_discharge: str
    items: list[Item]

    def must_fit(self) -> None:
        """Refuses what no single document could carry."""
        words = ((item.description, item.marks, item.package_kind, item.invoice_number) for item in self.items)
        if sum(400 + len("".join(said).encode()) for said in words) > MOST_BYTES:
            raise ConsignmentTooLarge("", "consignment.items")


@dataclass(eq=False)
class Certificate:
    """A certificate of origin and its life. Every act raises `version` by one. `agent_id`: the agent that began it, if any."""

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
        """The exporter changes a draft, or corrects what was returned."""
        self._must_allow(Act.REVISE)
        self.consignment, self.office = consignment, consignment.office
        self.version += 1

    def submit(self, on: date, exporter: Exporter | None) -> None:
        """The exporter hands the certificate in; from now on only an officer may change it."""
        if self.status in (Status.SUBMITTED, Status.REVIEWED, Status.APPROVED, Status.ISSUED):
            raise AlreadySubmitted(f"This certificate is {self.status}: it was submitted already.", "certificate_id")
        self._must_allow(Act.SUBMIT)
        if self.consignment.departure_date > a_year_from(on):
            raise DepartureTooFarAhead("", "consignment.transport.departure_date")
        self._must_be_issuable(on, exporter)
        self.status, self.remarks = Status.SUBMITTED, None
        self.reviewed_by = self.worksheet = None
        self.submission += 1
        self.submitted_on = on
        self.version += 1

    def was_submitted(self, submission: int) -> None:
        """It is known from elsewhere how often it was handed in: the next time counts on from there."""
        self.submission = max(self.submission, submission)

    def give_back(self, remarks: str) -> None:
        """An officer returns it for correction, saying what to correct."""
        self._must_allow(Act.RETURN)
        self.status, self.remarks = Status.RETURNED, remarks
        self.version += 1

    def review(self, officer: UUID, worksheet: str) -> None:
        """An officer finds it complete and the goods originating, with the reasons."""
        self._must_allow(Act.REVIEW)
        self.status, self.reviewed_by, self.worksheet = Status.REVIEWED, officer, worksheet
        self.version += 1

    def approve(self, officer: UUID) -> None:
        """A second officer agrees."""
        self._must_allow(Act.APPROVE)
        if officer == self.reviewed_by:
            raise FourEyesRequired()
        self.status, self.approved_by = Status.APPROVED, officer
        self.version += 1

    def reject(self, reason: str) -> None:
        """An officer refuses it, with the reason."""
        self._must_allow(Act.REJECT)
        self.status, self.remarks = Status.REJECTED, reason
        self.version += 1

    def must_be_as_seen(self, version: int | None) -> None:
        """Refuses where an officer who says what they have seen has seen another version. Raises CertificateChanged."""
        if version is not None and version != self.version:
            raise CertificateChanged("", "version")

    def must_be_issuable(self, on: date, exporter: Exporter | None) -> None:
        """Refuses unless it may be issued that day: approved, its exporter active, the goods gone a year at most."""
        self._must_allow(Act.ISSUE)
        self._must_be_issuable(on, exporter)

    def hold(self, because: str) -> None:
        """It is approved and paid, and yet cannot be issued today; everyone can see why."""
        self.held_because = because
        self.version += 1

    def issue(self, reference: str, on: date) -> None:
        """It gets its number and is valid for twelve months (OCP Rule 14); after departure, retroactively (Rule 10)."""
        self._must_allow(Act.ISSUE)
        self.status, self.reference, self.held_because = Status.ISSUED, reference, None
        self.issued_on, self.valid_until = on, a_year_from(on)
        self.issued_retroactively = self.consignment.departure_date < on
        self.version += 1

    def was_issued(self, reference: str, on: date, valid_until: date, version: int, *, retroactively: bool) -> None:
        """It is known from elsewhere that it was issued, whatever is remembered here."""
        self.status, self.reference, self.held_because = Status.ISSUED, reference, None
        self.issued_on, self.valid_until, self.issued_retroactively = on, valid_until, retroactively
        self.version = version

    def waits_for(self, *, settled: bool) -> tuple[str, ...]:
        """What must happen before it is issued, as slugs; nothing once it is decided."""
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

    def _must_be_issuable(self, on: date, exporter: Exporter | None) -> None:
        if exporter is None:
            raise ExporterNotRegistered("", "exporter_id")
        exporter.must_be_registered(on)
        if on > a_year_from(self.consignment.departure_date):
            raise DepartureTooLongAgo("", "consignment.transport.departure_date")

    def _must_allow(self, act: Act) -> None:
        if act not in ALLOWED[self.status]:
            raise NotAllowedNow(f"A certificate that is {self.status} does not allow: {act}.", "certificate_id")


NUMBER = re.compile(r"(?P<form>[A-Z0-9]{1,4})(?P<year>[0-9]{4})-(?P<office>[A-Z]{2,5})-(?P<serial>[0-9]{6,9})")


def reference_of(form: str, year: int, office: str, serial: int) -> str:
    """A certificate's number, e.g. `D2026-PNH-000123`: gap-free per office, form and year (OCP Rule 7(3); template ours)."""
    return f"{form}{year}-{office}-{serial:06}"


def number_of(reference: str) -> tuple[str, int, str, int]:
    """The form, year, office and serial number that a reference is made of. Raises ValueError."""
    parts = NUMBER.fullmatch(reference)
    if parts is None:
        raise ValueError(f"{reference} is no certificate's number")
    return parts["form"], int(parts["year"]), parts["office"], int(parts["serial"])
