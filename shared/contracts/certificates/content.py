"""A certificate with everything in it: its boxes, its history, its messages, and its copy for a new one."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.attachments import Attachment
from shared.contracts.certificates.issuing import CertificateState, Consignee, Consignment, Exhibition, Fob, InvoicingCompany
from shared.contracts.certificates.lists import READERS, PageSize, Side
from shared.contracts.certificates.originals import OriginalState
from shared.contracts.certificates.products import Criterion, ProductStatus
from shared.contracts.fields import Instant, Text
from shared.contracts.messages import Answer, Command, Contract, Event, Question
from shared.contracts.roles import Role


class OriginFinding(Contract):
    """What the approved worksheet of a product says. `costs_version`: of its cost statement, for `GetProductCosts`.

    `rules`: the form and the version of the rules by which it was judged. `box_13`: the ticks that follow from it.
    """

    costs_version: int
    rules: str
    box_13: tuple[str, ...] = ()


class ItemContent(Contract):
    """What the ministry found about the product of one item: description, criterion, and its text in box 8.

    `fob_disclosed`: whether the certificate shows the FOB value. `product_status`: the present one. `origin`: None before the
    submission, and for a product that was approved without a cost statement.
    """

    product_id: UUID
    description: str
    criterion: Criterion
    box_8: str
    handicraft: bool
    fob_disclosed: bool
    product_status: ProductStatus | None = None
    origin: OriginFinding | None = None


class CertificateContent(Answer):
    """A certificate with everything in it. `items`: one for each of `consignment.items`, in the same order.

    `worksheet`: the reasons of the review, only for officers. `originals`: those of a back-to-back certificate that are known.
    """

    state: CertificateState
    consignment: Consignment
    items: tuple[ItemContent, ...]
    exporter_name: str
    exporter_address: str
    submitted_on: date | None = None
    submission: int
    since: Instant
    reviewed_by: UUID | None = None
    approved_by: UUID | None = None
    worksheet: str | None = None
    assigned_to: UUID | None = None
    assigned_until: Instant | None = None
    last_message_by: Side | None = None
    originals: tuple[OriginalState, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class GetCertificateContent(Question):
    """What does this certificate contain?"""

    subject: ClassVar[str] = "qry.certificate-content.get.v1"
    answer: ClassVar[type[Answer]] = CertificateContent
    read_by: ClassVar[frozenset[Role]] = READERS
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class CertificateActKind(StrEnum):
    """What was done with a certificate."""

    DRAFT = "draft"
    REVISE = "revise"
    DISCARD = "discard"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RETURN = "return"
    REVIEW = "review"
    APPROVE = "approve"
    REJECT = "reject"
    HOLD = "hold"
    ISSUE = "issue"
    CANCEL = "cancel"


class CertificateAct(Contract):
    """One act on a certificate. `version`: that of the certificate after the act. An automatic act has no `user_id`.

    `remarks`: what was to be corrected, why it was rejected, or the code of the reason why it is held.
    """

    version: int
    act: CertificateActKind
    at: Instant
    user_id: UUID | None = None
    organisation: str | None = None
    remarks: str | None = None


class CertificateHistory(Answer):
    """Acts, latest first. `next`: the version to continue before; None if there are no older acts."""

    certificate_id: UUID
    acts: tuple[CertificateAct, ...]
    next: int | None = None


class GetCertificateHistory(Question):
    """Which acts were done on this certificate? `before`: only acts before this version."""

    subject: ClassVar[str] = "qry.certificate-history.get.v1"
    answer: ClassVar[type[Answer]] = CertificateHistory
    read_by: ClassVar[frozenset[Role]] = READERS
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    before: Annotated[int, Field(ge=1)] | None = None
    limit: PageSize = 50


class CopiedItem(Contract):
    """An item to begin a new certificate with. It has no invoice. `problem`: the code of what has become invalid since."""

    product_id: UUID
    description: str
    criterion: Criterion
    hs_code: str
    marks: str
    packages: int
    package_kind: str
    quantity: Decimal
    unit: str
    gross_weight_kg: Decimal
    fob: Fob
    problem: str | None = None
    manufacturer: str | None = None
    trade_mark: str | None = None


class CertificateCopy(Answer):
    """What a new certificate takes from an earlier one: parties, transport, items and criteria; no number, dates or invoices.

    `problems`: codes of what has become invalid since, apart from the items, such as a closed office.
    """

    copy_of: UUID
    exporter_id: UUID
    form: str
    office: str
    destination: str
    consignee: Consignee
    vessel: str
    port_of_discharge: str
    items: tuple[CopiedItem, ...]
    problems: tuple[str, ...] = ()
    route: str | None = None
    third_country_invoice: InvoicingCompany | None = None
    exhibition: Exhibition | None = None


class CopyCertificate(Question):
    """What would a new certificate take from this one?"""

    subject: ClassVar[str] = "qry.certificate.copy.v1"
    answer: ClassVar[type[Answer]] = CertificateCopy
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID


class ThreadMessage(Contract):
    """A message on a certificate."""

    message_id: UUID
    by: Side
    user_id: UUID | None = None
    at: Instant
    text: str


class Thread(Answer):
    """The messages on a certificate, latest first."""

    certificate_id: UUID
    messages: tuple[ThreadMessage, ...]
    next: UUID | None = None


class ListCertificateMessages(Question):
    """What have exporter and officers written about this certificate? `before`: only messages before this one."""

    subject: ClassVar[str] = "qry.certificate-messages.list.v1"
    answer: ClassVar[type[Answer]] = Thread
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
    about: ClassVar[str] = "certificate_id"
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    before: UUID | None = None
    limit: PageSize = 25


class SendCertificateMessage(Command):
    """The exporter or an officer of its office writes about a certificate. The sender chooses `message_id`."""

    subject: ClassVar[str] = "cmd.certificate-message.send.v1"
    answer: ClassVar[type[Answer]] = Thread
    about: ClassVar[str] = "certificate_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY, Role.REVIEWER, Role.APPROVER})
    under_mandate: ClassVar[bool] = True
    certificate_id: UUID
    message_id: UUID
    text: Text


class CertificateMessageSent(Event):
    """Somebody wrote about a certificate. The event does not contain the text."""

    subject: ClassVar[str] = "evt.certificate-message.sent.v1"
    listeners: ClassVar[frozenset[str]] = frozenset({"portal"})
    about: ClassVar[str] = "certificate_id"
    certificate_id: UUID
    office: str
    by: Side
