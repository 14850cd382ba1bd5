"""The texts on the page of a certificate, from its data. Source of the boxes: ATIGA Annex 7 and its overleaf notes."""

import json
from typing import Any

from services.certificates.documents.orders import PageOrder, written
from shared.contracts.certificates.documents import DocumentItem, FormD, Party

MAX_UNBROKEN = 1400
"""Characters of an item that fits on one page. A longer one continues on the next page."""
MAX_LINES = 6
"""Lines of an address in its box. More lines are joined."""
BREAK = "\u200b"
"""A zero-width space: a word that is wider than its column may break here."""
NARROW, MIDDLE, WIDE = 12, 30, 40
"""Characters of a word that surely fits into a column."""


def inputs_of(order: PageOrder, *, code: str = "", qr: str = "") -> dict[str, str]:
    """The inputs of the template `certificate.typ`: the document, and how it is printed. `qr`: an SVG."""
    form = FormD.model_validate_json(order.document)
    names, name = order.country_names, order.page["name"]
    certified = [form.certified_by or order.office_name, written(form.issued_on), f"Valid until {written(form.valid_until)}"]
    sheet = {
        "page": dict(order.page),
        "title": f"Certificate of origin, {name}, {form.reference}",
        "authority": order.office_name,
        "description": f"{name} {form.reference}, {form.issuing_country} to {form.destination}",
        "watermark": order.watermark,
        "mark": order.mark,
        "foot": f"Sealed electronically. Check it at {order.check_at}" if code else "This page is not a certificate.",
        "issuing_country": _name(form.issuing_country, names).upper(),
        "destination": _name(form.destination, names).upper(),
        "exporter_country": _name(form.exporter.country or "", names),
        "consignee_country": _country_below(form.consignee, names),
        "declared": ", ".join(filter(None, (form.declared_by, written(form.declared_on) if form.declared_on else ""))),
        "certified": "\n".join(filter(None, (order.endorsement, *certified))) if code else "",
        "code": code,
        "check_at": _broken(order.check_at, NARROW * 2),
        "qr": qr,
    }
    return {"form": json.dumps(printable(_boxes(form))), "sheet": json.dumps(printable(sheet))}


def _country_below(party: Party, names: dict[str, str]) -> str:
    """The country to print below an address; empty if the address ends with it."""
    country = _name(party.country or "", names)
    return "" if party.address.rstrip(" .").casefold().endswith(country.casefold()) else country


def printable(value: Any) -> Any:
    """The same value with only characters that the fonts of the page have. Others become question marks."""
    if isinstance(value, str):
        return "".join(char if _has_glyph(ord(char)) else "?" for char in value)
    if isinstance(value, list):
        return [printable(each) for each in value]
    if isinstance(value, dict):
        return {key: printable(each) for key, each in value.items()}
    return value


def _has_glyph(point: int) -> bool:
    return (
        point in (0x0A, 0x200B, 0x20AC)
        or 0x20 <= point < 0x7F
        or 0xA0 <= point <= 0x17F  # Latin, Latin-1 and Latin Extended-A
        or 0x1EA0 <= point <= 0x1EF9  # Vietnamese
        or 0x1780 <= point <= 0x17DD  # Khmer
        or 0x17E0 <= point <= 0x17E9
        or 0x2010 <= point <= 0x2026
    )


def _boxes(form: FormD) -> dict[str, Any]:
    values = form.model_dump(mode="json")
    for party in ("exporter", "consignee"):
        values[party] |= {"name": _broken(values[party]["name"], WIDE), "address": _address(values[party]["address"])}
    for field in ("vessel", "port_of_discharge", "route"):
        values[field] = _broken(values[field], MIDDLE) if values[field] else values[field]
    values["departure_date"] = written(form.departure_date)
    values["items"] = [_item(item) for item in form.items]
    for original, data in zip(form.originals, values["originals"], strict=True):
        data["issued_on"] = written(original.issued_on)
    return values


def _item(item: DocumentItem) -> dict[str, Any]:
    weight = f"{item.gross_weight_kg} KG"
    if item.fob:
        weight += f"\nFOB {item.fob.amount} {item.fob.currency}"
    goods = f"{item.description}\nHS {item.hs_code}\nQuantity: {item.quantity} {item.unit}\n{item.packages} {item.package_kind}"
    return {
        "number": item.number,
        "marks": _broken(item.marks, NARROW),
        "goods": _broken(goods, MIDDLE),
        "criterion": _broken(item.criterion, NARROW),
        "weight": _broken(weight, NARROW + 2),
        "invoice": "\n".join(
            f"{_broken(number, NARROW - 1)}\n{written(day)}"
            for number, day in [
                (item.invoice_number, item.invoice_date),
                *((each.number, each.date) for each in item.more_invoices),
            ]
        ),
        "breakable": len(goods) + len(item.marks) * 2 > MAX_UNBROKEN or goods.count("\n") > 30 or len(item.more_invoices) > 14,
    }


def _address(text: str) -> str:
    lines = text.split("\n")
    return _broken(text if len(lines) <= MAX_LINES else ", ".join(filter(None, map(str.strip, lines))), WIDE)


def _broken(text: str, most: int) -> str:
    """The text, in which longer words may break anywhere."""
    return "\n".join(
        " ".join(BREAK.join(word) if len(word) > most else word for word in line.split(" ")) for line in text.split("\n")
    )


def _name(country: str, names: dict[str, str]) -> str:
    return names.get(country, country)
