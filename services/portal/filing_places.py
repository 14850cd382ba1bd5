"""Where the fields of a certificate stand in the form: the address of each step, and what each field is called."""

from uuid import UUID

from services.portal.drafts import ITEM
from services.portal.settings import PREFIX
from shared.web.languages import Language

FORMS = f"{PREFIX}/filing/"
"""Every form of a certificate is saved under this address and its id."""


def address_of(form_id: UUID, step: str = "") -> str:
    """The address of a form, or of one of its steps."""
    return f"{FORMS}{form_id}/{step}" if step else f"{FORMS}{form_id}"


def step_of(field: str) -> str:
    """The step that has a field."""
    if field.startswith(f"{ITEM}."):
        number = field.split(".")[2]
        return f"goods/{int(number) + 1}" if number.isdigit() else "goods"
    if field.startswith(ITEM):
        return "goods"
    return "transport" if field.startswith("consignment.transport") else "consignee"


def anchor_of(field: str) -> str:
    """The id of a field on its page."""
    return f"f-{field.replace('.', '-').replace('_', '-')}"


def where(form_id: UUID, field: str) -> str:
    """The address of a field on its step."""
    return f"{address_of(form_id, step_of(field))}#{anchor_of(field)}"


def label(language: Language, field: str) -> str:
    """What a field is called on its step."""
    _ = language.gettext
    parts = field.split(".")
    names = {
        "third_country_invoice.name": _("Company that issued the invoice"),
        "third_country_invoice.country": _("Country of the company that issued the invoice"),
        "exhibition.name": _("Name of the exhibition"),
        "exhibition.address": _("Address of the exhibition"),
        "form": _("Form"),
        "office": _("Office"),
        "destination": _("Destination"),
        "name": _("Name of the consignee"),
        "address": _("Address of the consignee"),
        "departure_date": _("Date of departure"),
        "vessel": _("Vessel, aircraft or vehicle"),
        "port_of_discharge": _("Port of discharge"),
        "route": _("Route"),
        "product_id": _("Product"),
        "hs_code": _("HS code in the country of destination"),
        "marks": _("Marks and numbers on the packages"),
        "packages": _("Number of packages"),
        "package_kind": _("Kind of packages"),
        "quantity": _("Quantity"),
        "unit": _("Unit"),
        "gross_weight_kg": _("Gross weight in kg"),
        "amount": _("FOB value"),
        "currency": _("Currency"),
        "manufacturer": _("Manufacturer"),
        "trade_mark": _("Trade mark"),
        "invoice_number": _("Number of the invoice"),
        "invoice_date": _("Date of the invoice"),
        "number": _("Number of a further invoice"),
        "date": _("Date of a further invoice"),
        "items": _("Goods"),
        "country": _("Country of the original"),
        "reference": _("Reference of the original"),
        "issued_on": _("Date of the original"),
        "line": _("Item of the original"),
        "exporter_id": _("Exporter"),
    }
    found = names.get(".".join(parts[-2:])) or names.get(parts[-1], field)
    if field.startswith(f"{ITEM}.") and parts[2].isdigit():
        return _("Item %(number)s: %(field)s") % {"number": int(parts[2]) + 1, "field": found}
    return found
