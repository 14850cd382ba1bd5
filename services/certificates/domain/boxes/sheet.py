"""What the checks of boxes read: the content of a certificate, complete or not, and what is known about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.certificates.domain.consignment import Consignment, Exhibition, InvoicingCompany, Item
from services.certificates.domain.exporter import Exporter
from services.certificates.domain.form import Form
from services.certificates.domain.nomenclature import Nomenclature
from services.certificates.domain.original import Original
from services.certificates.domain.product import Product

ITEMS = "consignment.items"


@dataclass(frozen=True, kw_only=True)
class Content:
    """The boxes that are filled in. None: not filled in yet. `items`: by their number from 1; `count`: of all items."""

    office: str | None = None
    destination: str | None = None
    consignee_name: str | None = None
    consignee_address: str | None = None
    departure_date: date | None = None
    vessel: str | None = None
    port_of_discharge: str | None = None
    route: str | None = None
    third_country_invoice: InvoicingCompany | None = None
    exhibition: Exhibition | None = None
    items: Mapping[int, Item] = field(default_factory=dict)
    count: int = 0

    @classmethod
    def of(cls, consignment: Consignment) -> "Content":
        """The content of a complete consignment."""
        items = dict(enumerate(consignment.items, start=1))
        return cls(**vars(consignment) | {"items": items, "count": len(items)})


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A certificate as the checks see it on a day.

    `exporter`: None if its registration is not known. `products`: as they are today. `originals`: those that are known, by the
    number of the item. `nomenclature`: the edition in force; None if none is loaded.
    """

    content: Content
    form: Form
    origin: str
    on: date
    exporter_id: UUID
    exporter: Exporter | None
    offices: Collection[str]
    products: Mapping[UUID, Product] = field(default_factory=dict)
    originals: Mapping[int, Original] = field(default_factory=dict)
    nomenclature: Nomenclature | None = None


def field_of(number: int, name: str = "") -> str:
    """The name of a field of an item. `number`: of the item, from 1."""
    return f"{ITEMS}.{number - 1}.{name}" if name else f"{ITEMS}.{number - 1}"
