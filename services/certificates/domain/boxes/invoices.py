"""Boxes 9 and 10: the FOB value and the invoices; box 13: an invoice of a third country."""

from collections.abc import Iterator
from datetime import date

from services.certificates.domain.boxes.check import Level, check
from services.certificates.domain.boxes.sheet import Sheet, field_of
from services.certificates.domain.boxes.texts import invoice_field
from shared.refusals import Refused

BOX_10 = "ATIGA Annex 7, box 10; Annex 8, Rule 6"
NOTE_11 = "ATIGA Annex 7, overleaf note 11; Annex 8, Rule 23"


class FobNotPositive(Refused):
    code = "fob_not_positive"


class InvoiceWithoutDate(Refused):
    code = "invoice_without_date"


class InvoiceTwice(Refused):
    code = "invoice_twice"


class InvoiceDatesDiffer(Refused):
    code = "invoice_dates_differ"


class InvoiceCurrenciesDiffer(Refused):
    code = "invoice_currencies_differ"


class InvoiceInFuture(Refused):
    code = "invoice_in_future"


class ThirdCountryWithoutName(Refused):
    code = "third_country_without_name"


class ThirdCountryMissing(Refused):
    code = "third_country_missing"


class ThirdCountryIsOrigin(Refused):
    code = "third_country_is_origin"


@check(box=9, source="Cambodian notice for Form D, 1 June 2020: FOB is entered for each item")
def fob_is_positive(sheet: Sheet) -> Iterator[Refused]:
    """Each item has the FOB value of its invoice, which is above zero."""
    for number, item in sheet.content.items.items():
        if item.fob_amount <= 0:
            yield FobNotPositive(field_of(number, "fob.amount"), amount=item.fob_amount)


@check(box=9, source=BOX_10)
def an_invoice_has_one_currency(sheet: Sheet) -> Iterator[Refused]:
    """All items of an invoice have their FOB value in the same currency."""
    first: dict[str, str] = {}
    for number, item in sheet.content.items.items():
        for invoice in item.invoices:
            currency = first.setdefault(invoice.number, item.fob_currency)
            if currency != item.fob_currency:
                yield InvoiceCurrenciesDiffer(
                    field_of(number, "fob.currency"), invoice=invoice.number, currency=currency, given=item.fob_currency
                )
                break


@check(box=10, source=BOX_10)
def each_invoice_has_a_date(sheet: Sheet) -> Iterator[Refused]:
    """Box 10 has number and date of each invoice."""
    for number, item in sheet.content.items.items():
        for place, invoice in enumerate(item.invoices):
            if invoice.date is None:
                yield InvoiceWithoutDate(invoice_field(number, place, "date"), invoice=invoice.number)


@check(box=10, source=BOX_10)
def each_invoice_is_named_once(sheet: Sheet) -> Iterator[Refused]:
    """Box 10 of an item names each invoice once."""
    for number, item in sheet.content.items.items():
        seen: set[str] = set()
        for place, invoice in enumerate(item.invoices):
            if invoice.number in seen:
                yield InvoiceTwice(invoice_field(number, place, "number"), invoice=invoice.number)
            seen.add(invoice.number)


@check(box=10, source=BOX_10)
def an_invoice_has_one_date(sheet: Sheet) -> Iterator[Refused]:
    """An invoice that several items name has the same date everywhere."""
    first: dict[str, date] = {}
    for number, item in sheet.content.items.items():
        for place, invoice in enumerate(item.invoices):
            if invoice.date is not None and first.setdefault(invoice.number, invoice.date) != invoice.date:
                yield InvoiceDatesDiffer(
                    invoice_field(number, place, "date"), invoice=invoice.number, date=first[invoice.number]
                )


@check(box=10, source=BOX_10, level=Level.NOTE)
def no_invoice_is_in_the_future(sheet: Sheet) -> Iterator[Refused]:
    """The date of an invoice is usually not in the future."""
    reported: set[str] = set()
    for number, item in sheet.content.items.items():
        for place, invoice in enumerate(item.invoices):
            if invoice.date is not None and invoice.date > sheet.on and invoice.number not in reported:
                reported.add(invoice.number)
                yield InvoiceInFuture(invoice_field(number, place, "date"), invoice=invoice.number)


@check(box=7, source=NOTE_11)
def third_country_has_name_and_country(sheet: Sheet) -> Iterator[Refused]:
    """An invoice of a third country names the company that issued it, and its country."""
    company = sheet.content.third_country_invoice
    if company is None:
        return
    if not company.name:
        yield ThirdCountryWithoutName("consignment.third_country_invoice.name")
    if not company.country:
        yield ThirdCountryMissing("consignment.third_country_invoice.country")
    elif company.country == sheet.origin:
        yield ThirdCountryIsOrigin("consignment.third_country_invoice.country", country=company.country)


CHECKS = (
    fob_is_positive,
    an_invoice_has_one_currency,
    each_invoice_has_a_date,
    each_invoice_is_named_once,
    an_invoice_has_one_date,
    no_invoice_is_in_the_future,
    third_country_has_name_and_country,
)
