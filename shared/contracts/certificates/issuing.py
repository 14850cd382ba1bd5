"""Certificates from draft to issue.

Procedures: ATIGA Annex 8 (Operational Certification Procedures).
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.products import LatinLine, LatinText
from shared.contracts.fields import Amount, Country, Currency, HsCode, Office, Quantity, Reference, Text, Unit
from shared.contracts.messages import Answer, Command, Contract, Event, Part, Question
from shared.contracts.roles import Role


class Consignee(Part):
    """Box 2: who receives the goods."""

    name: LatinLine
    address: LatinText


class Transport(Part):
    """Box 3: departure, vessel or aircraft, and where the goods are unloaded, as far as known."""

    departure_date: date
    vessel: LatinLine
    port_of_discharge: LatinLine


class Fob(Part):
    """A free-on-board value as on the invoice."""

    amount: Amount
    currency: Currency


class Item(Part):
    """One line of the consignment: boxes 6 to 10. `hs_code` is that of the importing country."""

    product_id: UUID
    hs_code: HsCode
    marks: LatinLine
    packages: Annotated[int, Field(ge=1, le=10_000_000)]
    package_kind: LatinLine
    quantity: Quantity
    unit: Unit
    gross_weight_kg: Quantity
    fob: Fob
    invoice_number: LatinLine
    invoice_date: date


class CertificateStatus(StrEnum):
    """Where a certificate stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    ISSUED = "issued"
    REJECTED = "rejected"


class CertificateState(Answer):
    """A certificate as its exporter and the ministry see it. `waits_for` says what must happen before it is issued.

    `agent_id`, `agent_name`: the agent that began it for the exporter, if one did.
    """

    certificate_id: UUID
    exporter_id: UUID
    agent_id: UUID | None = None
    agent_name: str | None = None
    form: str
    office: str
    destination: str
    status: CertificateStatus
    waits_for: tuple[str, ...] = ()
    remarks: str | None = None
    settled: bool
    reference: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    issued_retroactively: bool = False
    fob_disclosed: tuple[bool, ...] = ()
    version: int


class Consignment(Part):
    """What an exporter says of a consignment."""

    office: Office
    destination: Country
    consignee: Consignee
    transport: Transport
    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=2000)]


class DraftCertificate(Command):
    """An exporter begins a certificate. Its id is chosen by the exporter, so that a draft sent twice is one."""

    subject: ClassVar[str] = "cmd.certificate.draft.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    permitted_by: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    exporter_id: UUID
    form: Literal["D"] = "D"
    consignment: Consignment


class ReviseCertificate(Command):
    """The exporter changes a draft, or a certificate that was returned."""

    subject: ClassVar[str] = "cmd.certificate.revise.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    consignment: Consignment


class SubmitCertificate(Command):
    """The exporter hands in the certificate."""

    subject: ClassVar[str] = "cmd.certificate.submit.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class ReturnCertificate(Command):
    """An officer gives the certificate back for correction, saying what to correct. `version`: as in `ApproveCertificate`."""

    subject: ClassVar[str] = "cmd.certificate.return.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    certificate_id: UUID
    remarks: Text
    version: Annotated[int, Field(ge=1)] | None = None


class ReviewCertificate(Command):
    """An officer finds the application complete and the goods originating; the worksheet says why.

    `version`: as in `ApproveCertificate`.
    """

    subject: ClassVar[str] = "cmd.certificate.review.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER})
    certificate_id: UUID
    worksheet: Text
    version: Annotated[int, Field(ge=1)] | None = None


class ApproveCertificate(Command):
    """A second officer agrees with the review. `version`: that of the certificate the officer has seen; of another, refused."""

    subject: ClassVar[str] = "cmd.certificate.approve.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    certificate_id: UUID
    version: Annotated[int, Field(ge=1)] | None = None


class RejectCertificate(Command):
    """An officer refuses the certificate, with the reason. `version`: as in `ApproveCertificate`."""

    subject: ClassVar[str] = "cmd.certificate.reject.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    step_up: ClassVar[bool] = True
    certificate_id: UUID
    reason: Text
    version: Annotated[int, Field(ge=1)] | None = None


class GetCertificate(Question):
    """Where does this certificate stand, and what does it wait for?"""

    subject: ClassVar[str] = "qry.certificate.get.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class SubmittedGoods(Contract):
    """What the tariff asks of one item."""

    hs_code: str
    handicraft: bool
    quantity: Decimal
    unit: str


class CertificateSubmitted(Event):
    """A certificate was handed in. `submission` counts: it rises when a returned one is handed in again.

    `agent_id`: the agent that began it for the exporter, if one did.
    """

    subject: ClassVar[str] = "evt.certificate.submitted.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"fees"})
    about: ClassVar[str] = "certificate_id"
    permitted_by: ClassVar[str] = "exporter_id"
    certificate_id: UUID
    exporter_id: UUID
    agent_id: UUID | None = None
    office: str
    form: str
    submission: int
    submitted_on: date
    goods: tuple[SubmittedGoods, ...]


class CertificateIssued(Event):
    """A certificate has its number. Holds only what the public may see."""

    subject: ClassVar[str] = "evt.certificate.issued.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"tracking"})
    about: ClassVar[str] = "certificate_id"
    known_by: ClassVar[str] = "reference"
    certificate_id: UUID
    reference: Reference
    form: str
    destination: Country
    issued_on: date
    valid_until: date
