"""Box 7 of a back-to-back certificate: each item is covered by a line of a valid original (ATIGA Annex 8, Rule 11)."""

from collections.abc import Iterator

from services.certificates.domain.boxes.check import Level, check, refusal_of
from services.certificates.domain.boxes.sheet import ITEMS, Sheet, field_of
from services.certificates.domain.consignment import Item
from services.certificates.domain.original import Original, OriginalLine, OriginalNotFound
from shared.refusals import Refused

RULE_11 = "ATIGA Annex 8, Rule 11"
MAX_ORIGINALS = 50
"""Originals of one certificate."""


class TooManyOriginals(Refused):
    code = "too_many_originals"


def _wanted(sheet: Sheet) -> Iterator[tuple[int, Item, OriginalLine]]:
    for number, item in sheet.content.items.items():
        if item.original:
            yield number, item, item.original


def _known(sheet: Sheet) -> Iterator[tuple[int, Item, OriginalLine, Original]]:
    """The items with their originals. Only the holder of an original knows its date, so another date finds nothing."""
    for number, item, wanted in _wanted(sheet):
        original = sheet.originals.get(number)
        if original and original.issued_on == wanted.issued_on:
            yield number, item, wanted, original


@check(box=7, source="ours: at most 50 originals for one certificate", level=Level.DRAFT)
def there_are_not_too_many_originals(sheet: Sheet) -> Iterator[Refused]:
    """A certificate is based on a limited number of originals."""
    if len({wanted.original_id for _, _, wanted in _wanted(sheet)}) > MAX_ORIGINALS:
        yield TooManyOriginals(ITEMS, most=MAX_ORIGINALS)


@check(box=7, source="the agreement of the form", level=Level.DRAFT)
def form_has_back_to_back_certificates(sheet: Sheet) -> Iterator[Refused]:
    """Only some agreements have back-to-back certificates."""
    for number, _, _ in _wanted(sheet):
        yield from refusal_of(sheet.form.must_allow_originals, field_of(number, "original.reference"))


@check(box=7, source=RULE_11)
def original_is_known(sheet: Sheet) -> Iterator[Refused]:
    """The original was received or entered, with exactly this country, reference and date."""
    known = {number for number, *_ in _known(sheet)}
    for number, _, _ in _wanted(sheet):
        if number not in known:
            yield OriginalNotFound(field_of(number, "original.reference"))


@check(box=7, source=RULE_11)
def original_is_valid(sheet: Sheet) -> Iterator[Refused]:
    """The original is usable and has not expired."""
    for number, _, _, original in _known(sheet):
        yield from refusal_of(original.must_be_valid, sheet.on, field_of(number, "original.reference"))


@check(box=7, source=RULE_11)
def goods_do_not_return(sheet: Sheet) -> Iterator[Refused]:
    """The goods do not return to a country that has certified them before."""
    countries = [country for country in (sheet.origin, sheet.content.destination) if country]
    for number, _, _, original in _known(sheet):
        yield from refusal_of(original.must_not_return_to, countries, field_of(number, "original.reference"))


@check(box=7, source=RULE_11)
def line_covers_the_item(sheet: Sheet) -> Iterator[Refused]:
    """The original has the line, customs have not denied it, and its unit is that of the item."""
    for number, item, wanted, original in _known(sheet):
        yield from refusal_of(original.line_for, wanted.line, item.unit, field_of(number))


CHECKS = (
    there_are_not_too_many_originals,
    form_has_back_to_back_certificates,
    original_is_known,
    original_is_valid,
    goods_do_not_return,
    line_covers_the_item,
)
