"""Lists and counts of certificates and products, for those who may read them. Every list has pages."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.products import ProductState, ProductStatus
from shared.contracts.fields import Country, Cursor, Instant, Line, Office
from shared.contracts.messages import Answer, Contract, Question
from shared.contracts.roles import Role

READERS = frozenset({Role.REVIEWER, Role.APPROVER, Role.CASHIER, Role.AUDITOR})
"""The roles that read the certificates of every exporter."""

PageSize = Annotated[int, Field(ge=1, le=100)]


class Side(StrEnum):
    """The two sides of a message thread."""

    EXPORTER = "exporter"
    MINISTRY = "ministry"


class CertificateOrder(StrEnum):
    """The order of a list of certificates. LONGEST_WAITING: by the instant since which it has its status."""

    NEWEST = "newest"
    LONGEST_WAITING = "longest_waiting"


class ListedCertificate(Contract):
    """A certificate in a list. `since`: the instant since which it has its status; `items`: the number of its items.

    `assigned_to`: the officer who works on it, until `assigned_until`. `last_message_by`: who wrote the last message on it.
    """

    certificate_id: UUID
    exporter_id: UUID
    exporter_name: str
    agent_id: UUID | None = None
    form: str
    office: str
    destination: str
    consignee: str
    departure_date: date
    items: int
    status: CertificateStatus
    settled: bool
    waits_for: tuple[str, ...] = ()
    reference: str | None = None
    submitted_on: date | None = None
    since: Instant
    assigned_to: UUID | None = None
    assigned_until: Instant | None = None
    last_message_by: Side | None = None
    version: int


class Certificates(Answer):
    """One page of certificates."""

    certificates: tuple[ListedCertificate, ...]
    next: str | None = None


class ListCertificates(Question):
    """Which certificates are there? A person of a company sees its own; an officer sees all, or those of one exporter.

    `search`: the beginning of a reference, or a part of the consignee's or the exporter's name. `mine`: assigned to the person
    who asks. `unpaid`: only those whose fee is owed. Without `statuses` the discarded ones are left out.
    """

    subject: ClassVar[str] = "qry.certificates.list.v1"
    answer: ClassVar[type[Answer]] = Certificates
    read_by: ClassVar[frozenset[Role]] = READERS
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID | None = None
    office: Office | None = None
    statuses: Annotated[tuple[CertificateStatus, ...], Field(max_length=10)] = ()
    destination: Country | None = None
    search: Line | None = None
    mine: bool = False
    unpaid: bool = False
    order: CertificateOrder = CertificateOrder.NEWEST
    after: Cursor | None = None
    limit: PageSize = 25


class CertificateCounts(Answer):
    """The number of certificates by status. `unpaid`: submitted, and the fee is owed. `held`: approved, but not issuable.

    `at_least`: the statuses of which there are more than the number says: nobody waits until a million are counted.
    `mine`: assigned to the person who asks. `oldest_submitted_on`: of those that wait for a review.
    """

    by_status: dict[CertificateStatus, int]
    at_least: tuple[CertificateStatus, ...] = ()
    unpaid: int
    held: int
    mine: int
    oldest_submitted_on: date | None = None


class CountCertificates(Question):
    """How many certificates are there of each status? Of a company, of an office, or of all, as in `ListCertificates`."""

    subject: ClassVar[str] = "qry.certificates.count.v1"
    answer: ClassVar[type[Answer]] = CertificateCounts
    read_by: ClassVar[frozenset[Role]] = READERS
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID | None = None
    office: Office | None = None


class Products(Answer):
    """One page of products, by description."""

    products: tuple[ProductState, ...]
    next: str | None = None


class ListProducts(Question):
    """Which products are there? A person of a company sees its own; an officer sees all, or those of one exporter.

    `search`: a part of the description, or the beginning of the HS code.
    """

    subject: ClassVar[str] = "qry.products.list.v1"
    answer: ClassVar[type[Answer]] = Products
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID | None = None
    status: ProductStatus | None = None
    search: Line | None = None
    after: Cursor | None = None
    limit: PageSize = 25


class GetProduct(Question):
    """What was found about this product?"""

    subject: ClassVar[str] = "qry.product.get.v1"
    answer: ClassVar[type[Answer]] = ProductState
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
    about: ClassVar[str] = "product_id"
    under_mandate: ClassVar[bool] = True
    product_id: UUID


class KnownConsignees(Answer):
    """Consignees of earlier certificates, the last used first."""

    consignees: tuple["KnownConsignee", ...]
    next: str | None = None


class KnownConsignee(Contract):
    """A consignee of an earlier certificate, with the last destination and port."""

    name: str
    address: str
    destination: str
    port_of_discharge: str


class ListConsignees(Question):
    """Which consignees has this exporter named? `search`: a part of the name."""

    subject: ClassVar[str] = "qry.consignees.list.v1"
    answer: ClassVar[type[Answer]] = KnownConsignees
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID
    search: Line | None = None
    after: Cursor | None = None
    limit: PageSize = 25
