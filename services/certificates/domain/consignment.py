"""The content of a certificate: consignee, transport and items, and what an officer remarks on its boxes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from datetime import date as date_type
from decimal import Decimal
from uuid import UUID

from services.certificates.domain.form import Criterion
from services.certificates.domain.original import OriginalLine
from shared.refusals import Refused


class BoxWithoutItems(Refused):
    code = "box_without_items"


class ItemUnknown(Refused):
    code = "item_unknown"


@dataclass(frozen=True, kw_only=True)
class Invoice:
    """An invoice in box 10. The date may be missing in a draft."""

    number: str
    date: date_type | None = None


@dataclass(frozen=True, kw_only=True)
class InvoicingCompany:
    """The company in a third country that has invoiced the goods. A draft may lack its name or its country."""

    name: str | None = None
    country: str | None = None


@dataclass(frozen=True, kw_only=True)
class Exhibition:
    """The exhibition at which the goods were sold. A draft may lack its name or its address."""

    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, kw_only=True)
class OriginFinding:
    """What the approved worksheet of a product says. `costs_version`: of its cost statement. `rules`: by which it was judged.

    `box_13`: the ticks that follow from it.
    """

    costs_version: int
    rules: str
    box_13: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of the consignment, with the ministry's findings on the product. FOB is in `fob_currency`, weight in kg.

    `more_invoices`: further invoices of the item, besides `invoice_number`. `origin`: None before the submission, and for a
    product that was approved without a cost statement.
    """

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
    original: OriginalLine | None = None
    manufacturer: str | None = None
    trade_mark: str | None = None
    more_invoices: list[Invoice] = field(default_factory=list)
    origin: OriginFinding | None = None

    @property
    def invoices(self) -> list[Invoice]:
        """All invoices of the item, in the order of box 10."""
        return [Invoice(number=self.invoice_number, date=self.invoice_date), *self.more_invoices]


@dataclass(frozen=True, kw_only=True)
class Consignment:
    """A consignment as the exporter describes it: boxes 2, 3, 5 to 10 and 13."""

    office: str
    destination: str
    consignee_name: str
    consignee_address: str
    departure_date: date
    vessel: str
    port_of_discharge: str
    items: list[Item]
    route: str | None = None
    third_country_invoice: InvoicingCompany | None = None
    exhibition: Exhibition | None = None

    @property
    def originals(self) -> dict[int, OriginalLine]:
        """The lines of originals that cover items, by the number of the item from 1. Empty unless it is back-to-back."""
        return {number: item.original for number, item in enumerate(self.items, start=1) if item.original}

    def found(self, findings: Mapping[UUID, OriginFinding]) -> "Consignment":
        """The same consignment, each item with the finding on the origin of its product."""
        return replace(self, items=[replace(item, origin=findings.get(item.product_id)) for item in self.items])

    def has_tick(self, tick: str) -> bool:
        """Whether the origin of an item demands a tick in box 13."""
        return any(tick in item.origin.box_13 for item in self.items if item.origin)

    def must_have(self, remark: "BoxRemark", name: str) -> None:
        """Refuses a remark on an item that the consignment does not have. Raises BoxWithoutItems, ItemUnknown."""
        if remark.item is None:
            return
        if remark.box not in ITEM_BOXES:
            raise BoxWithoutItems(name, box=remark.box)
        if remark.item > len(self.items):
            raise ItemUnknown(name, item=remark.item, count=len(self.items))


ITEM_BOXES = range(5, 11)
"""The boxes of Form D that have one line for each item: 5 to 10 (ATIGA Annex 7)."""


@dataclass(frozen=True, kw_only=True)
class BoxRemark:
    """What to correct in one box of the form. `item`: the number of the item, from 1."""

    box: int
    item: int | None = None
    text: str
