"""The content of a certificate: consignee, transport and items, and what an officer remarks on its boxes."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from services.certificates.domain.form import Criterion
from services.certificates.domain.original import OriginalLine
from shared.refusals import Refused


class ConsignmentTooLarge(Refused):
    code = "consignment_too_large"


class BoxWithoutItems(Refused):
    code = "box_without_items"


class TooManyOriginals(Refused):
    code = "too_many_originals"


class ItemUnknown(Refused):
    code = "item_unknown"


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
    original: OriginalLine | None = None


MAX_BYTES = 400_000
"""Bytes of all items: 400 each besides their texts, and 300 for an original. The document must fit into one message."""

MAX_ORIGINALS = 50
"""Originals of one certificate."""


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

    @property
    def originals(self) -> dict[int, OriginalLine]:
        """The lines of originals that cover items, by the number of the item from 1. Empty unless it is back-to-back."""
        return {number: item.original for number, item in enumerate(self.items, start=1) if item.original}

    def must_fit(self) -> None:
        """Refuses a consignment that does not fit into one document."""
        texts = ((item.description, item.marks, item.package_kind, item.invoice_number) for item in self.items)
        if sum(400 + len("".join(each).encode()) for each in texts) + 300 * len(self.originals) > MAX_BYTES:
            raise ConsignmentTooLarge("consignment.items")
        if len({each.original_id for each in self.originals.values()}) > MAX_ORIGINALS:
            raise TooManyOriginals("consignment.items", most=MAX_ORIGINALS)

    def must_have(self, remark: "BoxRemark", field: str) -> None:
        """Refuses a remark on an item that the consignment does not have. Raises BoxWithoutItems, ItemUnknown."""
        if remark.item is None:
            return
        if remark.box not in ITEM_BOXES:
            raise BoxWithoutItems(field, box=remark.box)
        if remark.item > len(self.items):
            raise ItemUnknown(field, item=remark.item, count=len(self.items))


ITEM_BOXES = range(5, 11)
"""The boxes of Form D that have one line for each item: 5 to 10 (ATIGA Annex 7)."""


@dataclass(frozen=True, kw_only=True)
class BoxRemark:
    """What to correct in one box of the form. `item`: the number of the item, from 1."""

    box: int
    item: int | None = None
    text: str
