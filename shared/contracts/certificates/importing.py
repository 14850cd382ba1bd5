"""Import of products and certificates from a former system, row by row. A row that is imported twice changes nothing.

A row is one line of a file in the form of `docs/import.md`. These classes validate it.
"""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, model_validator

from shared.contracts.certificates.issuing import Consignee, Fob
from shared.contracts.certificates.lists import PageSize
from shared.contracts.certificates.products import Criterion, LatinLine, LatinText
from shared.contracts.fields import Country, Cursor, HsCode, Line, Office, Quantity, Unit
from shared.contracts.messages import Answer, Command, Contract, Part, Question
from shared.contracts.registry.importing import IMPORT_ROLES, MAX_ROWS, Day, FormerId, Imported
from shared.contracts.registry.particulars import TaxNumber
from shared.contracts.roles import Role

MAX_ITEMS = 200
"""Items of one imported certificate."""


class _OfCompany(Part):
    """A row that belongs to a company: by `exporter_id`, or by the key with which the company was imported."""

    exporter_id: UUID | None = None
    company_former_id: FormerId | None = None
    company_tax_number: TaxNumber | None = None

    @model_validator(mode="after")
    def _one_company(self) -> "_OfCompany":
        if sum(key is not None for key in (self.exporter_id, self.company_former_id, self.company_tax_number)) != 1:
            raise ValueError("give one of exporter_id, company_former_id, company_tax_number")
        return self

    @property
    def company_key(self) -> str | None:
        """The key with which the company was imported; None if its id is given."""
        return self.company_former_id or self.company_tax_number


class ImportedProduct(_OfCompany):
    """A product that the ministry approved in the former system. `former_id` identifies it: it is imported once.

    `valid_until`: the last day of its approval; without it the approval has no end until the product is renewed.
    """

    former_id: FormerId
    description: LatinText
    hs_code: HsCode
    criterion: Criterion
    handicraft: bool = False
    valid_until: Day | None = None


class FormerItem(Part):
    """An item of a certificate of the former system. `product_former_id`: the key of an imported product."""

    product_former_id: FormerId
    hs_code: HsCode
    marks: LatinLine
    packages: Annotated[int, Field(ge=1, le=10_000_000)]
    package_kind: LatinLine
    quantity: Quantity
    unit: Unit
    gross_weight_kg: Quantity
    fob: Fob


class ImportedCertificate(_OfCompany):
    """An issued certificate of the former system, to copy from. `former_id`, or else `reference`, identifies it.

    It stays a certificate of the former system: it has no document, no code and no status here.
    """

    former_id: FormerId | None = None
    reference: Annotated[Line, Field(max_length=60)]
    form: Annotated[Line, Field(max_length=8)] = "D"
    issued_on: Day
    office: Office
    destination: Country
    consignee: Consignee
    vessel: LatinLine
    port_of_discharge: LatinLine
    items: Annotated[tuple[FormerItem, ...], Field(min_length=1, max_length=MAX_ITEMS)]


ProductRows = Annotated[tuple[ImportedProduct, ...], Field(min_length=1, max_length=MAX_ROWS)]
CertificateRows = Annotated[tuple[ImportedCertificate, ...], Field(min_length=1, max_length=MAX_ROWS)]


class ImportProducts(Command):
    """Imports approved products of the former system. Each row is imported or refused for itself."""

    subject: ClassVar[str] = "cmd.products.import.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    step_up: ClassVar[bool] = True
    products: ProductRows


class CheckProductsImport(Question):
    """What would be the outcome of importing these products?"""

    subject: ClassVar[str] = "qry.products-import.check.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    products: ProductRows


class ImportCertificates(Command):
    """Imports certificates of the former system, to copy from. Each row is imported or refused for itself."""

    subject: ClassVar[str] = "cmd.certificates.import.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    step_up: ClassVar[bool] = True
    certificates: CertificateRows


class CheckCertificatesImport(Question):
    """What would be the outcome of importing these certificates?"""

    subject: ClassVar[str] = "qry.certificates-import.check.v1"
    answer: ClassVar[type[Answer]] = Imported
    asked_by: ClassVar[frozenset[Role]] = IMPORT_ROLES
    certificates: CertificateRows


class FormerCertificate(Contract):
    """A certificate of the former system in a list. `CopyCertificate` copies it by `certificate_id`."""

    certificate_id: UUID
    reference: str
    form: str
    destination: str
    consignee: str
    issued_on: date
    items: int


class FormerCertificates(Answer):
    """Certificates of the former system, the last issued first."""

    certificates: tuple[FormerCertificate, ...]
    next: str | None = None


class ListFormerCertificates(Question):
    """Which certificates of the former system does the exporter have? `search`: in reference and consignee."""

    subject: ClassVar[str] = "qry.former-certificates.list.v1"
    answer: ClassVar[type[Answer]] = FormerCertificates
    permitted_by: ClassVar[str] = "exporter_id"
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY})
    under_mandate: ClassVar[bool] = True
    exporter_id: UUID
    search: Line | None = None
    after: Cursor | None = None
    limit: PageSize = 20
