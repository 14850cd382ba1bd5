"""Rule 7: the certificate is in English, so its boxes take Latin text only."""

import unicodedata
from collections.abc import Iterable, Iterator

from services.certificates.domain.boxes.check import check
from services.certificates.domain.boxes.sheet import Sheet, field_of
from shared.refusals import Refused

RULE_7 = "ATIGA Annex 8, Rule 7"
LAST_LATIN = 0x24F
"""The last character of Latin Extended-B."""


class TextNotLatin(Refused):
    code = "text_not_latin"


def _foreign(texts: Iterable[tuple[str, str | None]]) -> Iterator[Refused]:
    """The fields whose text is not in the Latin alphabet."""
    for name, text in texts:
        if found := next((char for char in text or "" if ord(char) > LAST_LATIN), None):
            yield TextNotLatin(name, character=_shown(found))


def _shown(char: str) -> str:
    """A character with its code. An invisible one, such as a right-to-left mark, is only its code."""
    code = f"U+{ord(char):04X}"
    return f"{char} ({code})" if unicodedata.category(char)[0] in "LNPS" else code


@check(box=1, source=RULE_7)
def exporter_is_in_english(sheet: Sheet) -> Iterator[Refused]:
    """Box 1 takes Latin text only: name and address of the exporter, as registered."""
    if sheet.exporter:
        yield from _foreign([("exporter_id", sheet.exporter.name + sheet.exporter.address)])


@check(box=2, source=RULE_7)
def consignee_is_in_english(sheet: Sheet) -> Iterator[Refused]:
    """Box 2 takes Latin text only: the consignee, and an exhibition."""
    content, exhibition = sheet.content, sheet.content.exhibition
    yield from _foreign(
        [
            ("consignment.consignee.name", content.consignee_name),
            ("consignment.consignee.address", content.consignee_address),
            ("consignment.exhibition.name", exhibition.name if exhibition else None),
            ("consignment.exhibition.address", exhibition.address if exhibition else None),
        ]
    )


@check(box=3, source=RULE_7)
def transport_is_in_english(sheet: Sheet) -> Iterator[Refused]:
    """Box 3 takes Latin text only."""
    names = ("vessel", "port_of_discharge", "route")
    yield from _foreign((f"consignment.transport.{name}", getattr(sheet.content, name)) for name in names)


@check(box=6, source=RULE_7)
def marks_are_in_english(sheet: Sheet) -> Iterator[Refused]:
    """Box 6 takes Latin text only."""
    yield from _foreign((field_of(number, "marks"), item.marks) for number, item in sheet.content.items.items())


@check(box=7, source=RULE_7)
def goods_are_in_english(sheet: Sheet) -> Iterator[Refused]:
    """Box 7 takes Latin text only: goods, packages, manufacturer, trade mark, and the company that invoices."""
    for number, item in sheet.content.items.items():
        yield from _foreign(
            [
                (field_of(number, "product_id"), item.description),
                (field_of(number, "package_kind"), item.package_kind),
                (field_of(number, "manufacturer"), item.manufacturer),
                (field_of(number, "trade_mark"), item.trade_mark),
            ]
        )
    if company := sheet.content.third_country_invoice:
        yield from _foreign([("consignment.third_country_invoice.name", company.name)])


@check(box=10, source=RULE_7)
def invoices_are_in_english(sheet: Sheet) -> Iterator[Refused]:
    """Box 10 takes Latin text only."""
    for number, item in sheet.content.items.items():
        yield from _foreign((invoice_field(number, place, "number"), each.number) for place, each in enumerate(item.invoices))


def invoice_field(number: int, place: int, name: str) -> str:
    """The name of a field of an invoice of an item. `place`: of the invoice, from 0."""
    return field_of(number, f"more_invoices.{place - 1}.{name}" if place else f"invoice_{name}")


CHECKS = (
    exporter_is_in_english,
    consignee_is_in_english,
    transport_is_in_english,
    marks_are_in_english,
    goods_are_in_english,
    invoices_are_in_english,
)
