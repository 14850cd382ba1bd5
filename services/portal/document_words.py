"""The words of the fields of a received document. A field without a word has the meaning of its layout, in English."""

from collections.abc import Sequence

from services.portal.declaration_panel import modes
from services.portal.wording import Wording
from shared.contracts.gateway.received import ReceivedField

COUNTRIES = ("issuing_country", "destination", "country_of_origin")


class DocumentWords:
    """The labels and values of the fields of an export declaration, in the language of the person."""

    def __init__(self, words: Wording) -> None:
        self._words, _ = words, words.gettext
        self._modes = modes(_)
        self._labels = {
            "reference": _("Reference"),
            "issuing_country": _("Exporting country"),
            "destination": _("Destination"),
            "permit_number": _("Number of the export declaration or permit"),
            "certificate": _("Certificate of origin"),
            "exporter.name": _("Exporter"),
            "exporter.identifier": _("Number of the exporter with customs"),
            "exporter.address": _("Address of the exporter"),
            "consignee.name": _("Consignee"),
            "consignee.identifier": _("Number of the consignee with customs"),
            "consignee.address": _("Address of the consignee"),
            "declaring_agent": _("Declaring agent"),
            "departure_date": _("Departure"),
            "transport_mode": _("Mode of transport"),
            "port_of_discharge": _("Port of discharge"),
            "number": _("Item"),
            "hs_code": _("HS code"),
            "quantity": _("Quantity"),
            "unit": _("Unit"),
            "country_of_origin": _("Country of origin"),
        }

    def label(self, field: ReceivedField) -> str:
        """What a field is called."""
        return self._labels.get(field.name, field.meaning)

    def value(self, field: ReceivedField) -> str:
        """The value of a field; countries and modes of transport as words."""
        if field.name in COUNTRIES:
            return self._words.country(field.value)
        return self._modes.get(field.value, field.value) if field.name == "transport_mode" else field.value

    def table(self, lines: Sequence[Sequence[ReceivedField]]) -> tuple[list[str], list[list[str]]]:
        """The labels of the columns, and the values of each line."""
        columns = {field.name: self.label(field) for line in lines for field in line}
        rows = [{field.name: self.value(field) for field in line} for line in lines]
        return list(columns.values()), [[row.get(name, "") for name in columns] for row in rows]
