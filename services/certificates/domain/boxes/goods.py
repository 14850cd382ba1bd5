"""Boxes 5 and 7: the items and their description, packages, manufacturer and HS code."""

from collections.abc import Iterator

from services.certificates.domain.boxes.check import Level, check, refusal_of
from services.certificates.domain.boxes.sheet import ITEMS, Sheet, field_of
from services.certificates.domain.product import ProductNotFound
from shared.refusals import Refused

NOTE_5 = "ATIGA Annex 7, overleaf note 5"
MAX_BYTES = 950_000
"""Bytes of all items: 700 each besides their texts, and 400 for an original. The largest answer with them fits one message."""


class NoItems(Refused):
    code = "no_items"


class ConsignmentTooLarge(Refused):
    code = "consignment_too_large"


class ManufacturerMissing(Refused):
    code = "manufacturer_missing"


class DescriptionTooShort(Refused):
    code = "description_too_short"


class HsCodeOfAnotherProduct(Refused):
    code = "hs_code_of_another_product"


@check(box=5, source="ATIGA Annex 7, box 5")
def there_are_items(sheet: Sheet) -> Iterator[Refused]:
    """A certificate covers at least one item. The system numbers the items."""
    if not sheet.content.count:
        yield NoItems(ITEMS)


@check(box=5, source="ours: the document fits into one message; Form D has no maximum of items", level=Level.DRAFT)
def items_fit_into_one_document(sheet: Sheet) -> Iterator[Refused]:
    """The texts of all items fit into one document."""
    size = 0
    for item in sheet.content.items.values():
        texts = [item.description, item.marks, item.package_kind, (item.manufacturer or "") * 2, (item.trade_mark or "") * 2]
        texts += [each.number for each in item.invoices]
        size += 700 + 400 * bool(item.original) + 60 * len(item.more_invoices) + len("".join(texts).encode())
    if size > MAX_BYTES:
        yield ConsignmentTooLarge(ITEMS)


@check(box=7, source="Cambodian pre-export examination; ATIGA Annex 8, Rules 5 and 6", level=Level.DRAFT)
def product_is_approved(sheet: Sheet) -> Iterator[Refused]:
    """The ministry has examined each product of the exporter before."""
    for number, item in sheet.content.items.items():
        name, known = field_of(number, "product_id"), sheet.products.get(item.product_id)
        if known is None:
            yield ProductNotFound(name, product=item.product_id)
        else:
            yield from refusal_of(known.must_serve, sheet.exporter_id, name, sheet.on)


@check(box=7, source=NOTE_5, level=Level.NOTE)
def description_identifies_the_goods(sheet: Sheet) -> Iterator[Refused]:
    """A customs officer can identify the goods by their description."""
    for number, item in sheet.content.items.items():
        if item.description and len(item.description.split()) < 2:
            yield DescriptionTooShort(field_of(number, "product_id"), description=item.description)


@check(box=7, source=NOTE_5)
def manufacturer_is_named(sheet: Sheet) -> Iterator[Refused]:
    """Box 7 names the manufacturer."""
    if "manufacturer" not in sheet.form.required:
        return
    for number, item in sheet.content.items.items():
        if not item.manufacturer:
            yield ManufacturerMissing(field_of(number, "manufacturer"))


@check(box=7, source="ATIGA Annex 7, box 7: the HS number of the importing country")
def hs_code_is_in_the_nomenclature(sheet: Sheet) -> Iterator[Refused]:
    """The edition of the nomenclature in force has the first six digits of the code. They are the same in every country."""
    if sheet.nomenclature is None:
        return
    for number, item in sheet.content.items.items():
        yield from refusal_of(sheet.nomenclature.must_know, [(field_of(number, "hs_code"), item.hs_code)])


@check(box=7, source="ATIGA Annex 8, Rule 16: another classification is an issue to resolve", level=Level.NOTE)
def hs_code_is_that_of_the_product(sheet: Sheet) -> Iterator[Refused]:
    """The first six digits of the HS code are those of the registered product."""
    for number, item in sheet.content.items.items():
        product = sheet.products.get(item.product_id)
        if product and product.hs_code[:6] != item.hs_code[:6]:
            yield HsCodeOfAnotherProduct(field_of(number, "hs_code"), registered=product.hs_code[:6], hs_code=item.hs_code[:6])


CHECKS = (
    there_are_items,
    items_fit_into_one_document,
    product_is_approved,
    description_identifies_the_goods,
    manufacturer_is_named,
    hs_code_is_in_the_nomenclature,
    hs_code_is_that_of_the_product,
)
