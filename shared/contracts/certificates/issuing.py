"""Certificates from draft to issue. Source: ATIGA Annex 8 (Operational Certification Procedures)."""

from datetime import date
from datetime import date as date_type
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.originals import OriginalLine
from shared.contracts.fields import Country, Currency, FormName, HsCode, Line, Office, Quantity, Reference, Slug, Text, Unit
from shared.contracts.messages import Answer, Command, Contract, Event, Part, Question
from shared.contracts.roles import Role


class Consignee(Part):
    """Box 2: the receiver of the goods. A certificate is in English, so the submission refuses other than Latin text."""

    name: Line
    address: Text


class Transport(Part):
    """Box 3, as far as known: departure, vessel or aircraft, the port of discharge, and the route."""

    departure_date: date
    vessel: Line
    port_of_discharge: Line
    route: Line | None = None


class Fob(Part):
    """The free-on-board value on the invoice. The submission refuses a value that is not above zero."""

    amount: Annotated[Decimal, Field(max_digits=18, decimal_places=6)]
    currency: Currency


class Invoice(Part):
    """A further invoice of an item. The submission refuses one without its date."""

    number: Line
    date: date_type | None = None


class InvoicingCompany(Part):
    """The company in a third country that has invoiced the goods (overleaf note 11). The submission needs both fields."""

    name: Line | None = None
    country: Country | None = None


class Exhibition(Part):
    """The exhibition at which the goods were sold (overleaf note 12). The submission needs both fields."""

    name: Line | None = None
    address: Text | None = None


class Item(Part):
    """One line of the consignment: boxes 6 to 10. `hs_code` is that of the importing country.

    `original`: for back-to-back goods, the item of another member's certificate that covers it. `manufacturer`, `trade_mark`:
    for box 7. `more_invoices`: invoices besides the first one.
    """

    product_id: UUID
    hs_code: HsCode
    marks: Line
    packages: Annotated[int, Field(ge=1, le=10_000_000)]
    package_kind: Line
    quantity: Quantity
    unit: Unit
    gross_weight_kg: Quantity
    fob: Fob
    invoice_number: Line
    invoice_date: date
    original: OriginalLine | None = None
    manufacturer: Line | None = None
    trade_mark: Line | None = None
    more_invoices: Annotated[tuple[Invoice, ...], Field(max_length=20)] = ()


class CertificateStatus(StrEnum):
    """The status of a certificate."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    ISSUED = "issued"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"


class BoxRemark(Part):
    """What to correct in one box of the form (ATIGA Annex 7). `item`: the item's number, in boxes 5 to 10."""

    box: Annotated[int, Field(ge=1, le=13)]
    item: Annotated[int, Field(ge=1, le=2000)] | None = None
    text: Text


class OtherCertificate(Contract):
    """The certificate that replaces another one, or that is replaced. A replacement has a reference once it is issued."""

    certificate_id: UUID
    reference: str | None = None


class CertificateState(Answer):
    """A certificate as its exporter and the ministry see it. `waits_for`: what is missing before it can be issued.

    `agent_id`, `agent_name`: the agent that drafted it for the exporter, if there is one. `settled`: no fee is owed.
    `box_remarks`: what to correct in each box, if it was returned. `reasons`: the codes of the reasons, if it was rejected.
    `cancelled_on`, `cancelled_because`: the day and the code of the reason, if it was cancelled. `channel`: how its document is
    exchanged; None if it is on paper only.
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
    box_remarks: tuple[BoxRemark, ...] = ()
    reasons: tuple[str, ...] = ()
    settled: bool
    reference: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    issued_retroactively: bool = False
    fob_disclosed: tuple[bool, ...] = ()
    cancelled_on: date | None = None
    cancelled_because: str | None = None
    replaces: OtherCertificate | None = None
    replaced_by: OtherCertificate | None = None
    channel: str | None = None
    version: int


class Consignment(Part):
    """The data of a consignment, as the exporter declares them. `CheckDraft` finds what its submission would refuse."""

    office: Office
    destination: Country
    consignee: Consignee
    transport: Transport
    items: Annotated[tuple[Item, ...], Field(max_length=2000)]
    third_country_invoice: InvoicingCompany | None = None
    exhibition: Exhibition | None = None


class DraftCertificate(Command):
    """An exporter drafts a certificate. The exporter chooses its id, so that a draft sent twice is one certificate.

    `replaces`: the issued certificate that this one replaces. It is cancelled when this one is issued (Annex 8, Rule 29).
    """

    subject: ClassVar[str] = "cmd.certificate.draft.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    permitted_by: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    exporter_id: UUID
    form: FormName = "D"
    consignment: Consignment
    replaces: UUID | None = None


class ReviseCertificate(Command):
    """The exporter changes a draft or a returned certificate."""

    subject: ClassVar[str] = "cmd.certificate.revise.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    consignment: Consignment


class SubmitCertificate(Command):
    """The exporter submits the certificate to the ministry."""

    subject: ClassVar[str] = "cmd.certificate.submit.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class ReturnCertificate(Command):
    """An officer returns the certificate for correction. `remarks`: what to correct; `boxes`: the same, box by box.

    `version`: as in `ApproveCertificate`.
    """

    subject: ClassVar[str] = "cmd.certificate.return.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    certificate_id: UUID
    remarks: Text
    boxes: Annotated[tuple[BoxRemark, ...], Field(max_length=100)] = ()
    version: Annotated[int, Field(ge=1)] | None = None


class ReviewCertificate(Command):
    """An officer finds that the application is complete and the goods originate. `worksheet`: the reasons.

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
    """A second officer agrees with the review.

    `version`: that of the certificate that the officer has read. It is refused if the certificate has another version now.
    """

    subject: ClassVar[str] = "cmd.certificate.approve.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.APPROVER})
    step_up: ClassVar[bool] = True
    certificate_id: UUID
    version: Annotated[int, Field(ge=1)] | None = None


class RejectCertificate(Command):
    """An officer rejects the certificate, with the reason; also an approved one that cannot be issued.

    `codes`: the reasons by their codes. `version`: as in `ApproveCertificate`.
    """

    subject: ClassVar[str] = "cmd.certificate.reject.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    step_up: ClassVar[bool] = True
    certificate_id: UUID
    reason: Text
    codes: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    version: Annotated[int, Field(ge=1)] | None = None


class GetCertificate(Question):
    """What is the status of this certificate, and what does it wait for?"""

    subject: ClassVar[str] = "qry.certificate.get.v1"
    answer: ClassVar[type[Answer]] = CertificateState
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.CASHIER, Role.AUDITOR})
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class SubmittedGoods(Contract):
    """The data of one item that the fee depends on."""

    hs_code: str
    handicraft: bool
    quantity: Decimal
    unit: str


class CertificateSubmitted(Event):
    """A certificate was submitted. `submission`: how often it was submitted, counted from 1.

    `agent_id`: the agent that drafted it for the exporter, if there is one.
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
    """A certificate was issued and has its number. The event contains only public data."""

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


class CertificateStatusChanged(Event):
    """A certificate has another status. The event contains only public data: neither its exporter nor its contents."""

    subject: ClassVar[str] = "evt.certificate-status.changed.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"portal", "tracking"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    office: str
    destination: str
    status: CertificateStatus
    submission: int
