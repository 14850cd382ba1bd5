"""The kinds of documents that are exchanged, each with its model and its layout.

`services/gateway/data/documents.json` has the rules of each kind. To add a kind, add its model, its layout here, and a row.
The elements have names of the WCO Data Model, because the profile of ASEAN is not public.
"""

from dataclasses import dataclass

from shared.contracts.certificates.documents import FormD
from shared.contracts.gateway.declarations import ExportDeclaration, TransportMode
from shared.contracts.messages import Contract
from shared.xml.layout import (
    ANY_REFERENCE,
    COUNT,
    COUNTRY,
    CRITERION,
    CURRENCY,
    DAY,
    FLAG,
    HS_CODE,
    LINE,
    OFFICE,
    QUANTITY,
    REFERENCE,
    TEXT,
    UNIT,
    Layout,
    Part,
    Place,
    code_type,
)

PARTY: Layout = {
    "name": Place("Name", LINE, "The name of the company."),
    "address": Place("Address/Line", TEXT, "The address, with line breaks."),
    "country": Place("Address/CountryCode", COUNTRY, "The country (ISO 3166-1 alpha-2).", optional=True),
}
INVOICE: Layout = {
    "number": Place("ID", LINE, "The number of the invoice."),
    "date": Place("IssueDate", DAY, "The date of the invoice."),
}
FOB: Layout = {
    "amount": Place("FreeOnBoardAmount", QUANTITY, "Box 9: the FOB value."),
    "currency": Place("FreeOnBoardAmount/@currencyID", CURRENCY, "The currency of the FOB value (ISO 4217)."),
}
ITEM: Layout = {
    "number": Place("SequenceNumeric", COUNT, "Box 5: the number of the item."),
    "marks": Place("Packaging/MarksNumbersID", LINE, "Box 6: marks and numbers on the packages."),
    "packages": Place("Packaging/QuantityQuantity", COUNT, "Box 7: the number of packages."),
    "package_kind": Place("Packaging/TypeCode", LINE, "Box 7: the type of packages."),
    "description": Place("Commodity/Description", TEXT, "Box 7: the description of the goods."),
    "trade_mark": Place("Commodity/TradeMarkName", LINE, "Box 7: the trade mark (overleaf note 5).", True, 2, True),
    "hs_code": Place("Commodity/Classification/ID", HS_CODE, "Box 7: the HS number of the importing country."),
    "manufacturer": Place("Manufacturer/Name", LINE, "Box 7: the manufacturer (overleaf note 5).", True, 2, True),
    "criterion": Place("Origin/CriterionCode", CRITERION, "Box 8: the origin criterion, as in `40%` or `CTH`."),
    "quantity": Place("GoodsMeasure/TariffQuantity", QUANTITY, "Boxes 7 and 9: the quantity."),
    "unit": Place("GoodsMeasure/TariffQuantity/@unitCode", UNIT, "The unit of the quantity."),
    "gross_weight_kg": Place("GoodsMeasure/GrossMassMeasure", QUANTITY, "Box 9: the gross weight in kilograms."),
    "fob": Part("CustomsValuation", FOB, "Box 9: only where the rules disclose the FOB value.", optional=True),
    "invoice_number": Place("Invoice/ID", LINE, "Box 10: the number of the invoice."),
    "invoice_date": Place("Invoice/IssueDate", DAY, "Box 10: the date of the invoice."),
    "more_invoices": Part("AdditionalInvoice", INVOICE, "Box 10: further invoices of the item.", True, True, since=2),
}
COMPANY: Layout = {
    "name": Place("Name", LINE, "The name of the company."),
    "country": Place("CountryCode", COUNTRY, "Its country."),
}
EXHIBITION: Layout = {
    "name": Place("Name", LINE, "The name of the exhibition."),
    "address": Place("Address/Line", TEXT, "Its address."),
}
ORIGINAL: Layout = {
    "reference": Place("ID", ANY_REFERENCE, "The reference of the original certificate."),
    "country": Place("IssueLocation/CountryCode", COUNTRY, "The country that issued it."),
    "issued_on": Place("IssueDate", DAY, "The date of its issue."),
}
FORM_D: Layout = {
    "reference": Place("ID", REFERENCE, "The reference number of the certificate."),
    "replaces": Place("ReplacedID", REFERENCE, "The certificate that this one replaces (Rule 29).", True, since=2),
    "issuing_country": Place("IssueLocation/CountryCode", COUNTRY, "The country that issued it."),
    "office": Place("IssueLocation/ID", OFFICE, "The office that issued it."),
    "issued_on": Place("IssueDate", DAY, "Box 12: the date of issue."),
    "valid_until": Place("ExpirationDate", DAY, "The last day of its validity (Rule 14)."),
    "issued_retroactively": Place("RetroactiveIssueIndicator", FLAG, "Box 13: issued retroactively (Rule 10)."),
    "accumulation": Place("AccumulationIndicator", FLAG, "Box 13: accumulation (Art. 30(1)).", True, since=2),
    "de_minimis": Place("DeMinimisIndicator", FLAG, "Box 13: de minimis (Art. 33).", True, since=2),
    "partial_cumulation": Place("PartialCumulationIndicator", FLAG, "Box 13: partial cumulation (Art. 30(2)).", True, since=2),
    "third_country_invoice": Part("ThirdCountryInvoicing", COMPANY, "Box 13: the company that invoices.", True, since=2),
    "exhibition": Part("Exhibition", EXHIBITION, "Box 13: the exhibition of the goods.", optional=True, since=2),
    "originals": Part("BackToBackOriginal", ORIGINAL, "Box 13: back-to-back (Rule 11).", optional=True, many=True, since=2),
    "exporter": Part("Exporter", PARTY, "Box 1: the exporter."),
    "declared_on": Place("Declaration/Date", DAY, "Box 11: the date of the exporter's declaration.", True, 2, True),
    "declared_by": Place("Declaration/Name", LINE, "Box 11: the authorised signatory.", optional=True, since=2),
    "certified_by": Place("Certification/Name", LINE, "Box 12: the certifying authority.", optional=True, since=2),
    "consignee": Part("Consignee", PARTY, "Box 2: the consignee."),
    "destination": Place("Destination/CountryCode", COUNTRY, "The importing country."),
    "departure_date": Place("Consignment/DepartureDate", DAY, "Box 3: the date of departure."),
    "vessel": Place("Consignment/BorderTransportMeans/Name", LINE, "Box 3: the vessel, aircraft or vehicle."),
    "route": Place("Consignment/Itinerary", LINE, "Box 3: the route, as far as known.", optional=True, since=2),
    "port_of_discharge": Place("Consignment/UnloadingLocation/Name", LINE, "Box 3: the port of discharge."),
    "items": Part("Consignment/GovernmentAgencyGoodsItem", ITEM, "Boxes 5 to 10.", many=True, at_least=1),
}
TRADER: Layout = {
    "name": Place("Name", LINE, "The name of the company."),
    "identifier": Place("ID", LINE, "Its number with the customs of the exporting country.", optional=True),
    "address": Place("Address/Line", TEXT, "Its address.", optional=True),
}
DECLARED_ITEM: Layout = {
    "number": Place("SequenceNumeric", COUNT, "The number of the item."),
    "hs_code": Place("Commodity/Classification/ID", HS_CODE, "The HS number."),
    "quantity": Place("GoodsMeasure/TariffQuantity", QUANTITY, "The quantity."),
    "unit": Place("GoodsMeasure/TariffQuantity/@unitCode", UNIT, "The unit of the quantity."),
    "country_of_origin": Place("Origin/CountryCode", COUNTRY, "The country of origin."),
}
MODE = code_type("TransportMode", *TransportMode)
EXPORT_DECLARATION: Layout = {
    "reference": Place("ID", REFERENCE, "The reference of this document."),
    "issuing_country": Place("IssueLocation/CountryCode", COUNTRY, "The exporting country."),
    "destination": Place("Destination/CountryCode", COUNTRY, "The importing country."),
    "permit_number": Place("AdditionalDocument/ID", LINE, "The number of the export permit or declaration."),
    "certificate": Place("CertificateOfOrigin/ID", REFERENCE, "The certificate for the same goods.", optional=True),
    "exporter": Part("Exporter", TRADER, "The exporter, with its number."),
    "consignee": Part("Consignee", TRADER, "The consignee."),
    "declaring_agent": Place("Agent/Name", LINE, "The declaring agent.", optional=True),
    "departure_date": Place("Consignment/DepartureDate", DAY, "The date of departure."),
    "transport_mode": Place("Consignment/BorderTransportMeans/ModeCode", MODE, "How the goods leave the country."),
    "port_of_discharge": Place("Consignment/UnloadingLocation/Name", LINE, "The port of discharge."),
    "items": Part("Consignment/GovernmentAgencyGoodsItem", DECLARED_ITEM, "The goods.", many=True, at_least=1),
}


@dataclass(frozen=True)
class DocumentType:
    """A kind of document on the wire: its element, model and layout, and the version of the profile that added it."""

    code: str
    element: str
    model: type[Contract]
    layout: Layout
    since: int = 1

    def namespace(self, version: int) -> str:
        """The namespace of its elements."""
        return f"urn:co-automation:asw:{self.code.replace('_', '-')}:{version}"


E_FORM_D = DocumentType("e_form_d", "EFormD", FormD, FORM_D)
ACDD = DocumentType("acdd", "ExportDeclaration", ExportDeclaration, EXPORT_DECLARATION, since=2)
DOCUMENT_TYPES = {each.code: each for each in (E_FORM_D, ACDD)}


def type_of(document: Contract) -> DocumentType:
    """The kind of a document, by its model. Raises ValueError for any other model."""
    for each in DOCUMENT_TYPES.values():
        if type(document) is each.model:
            return each
    raise ValueError("this is no document that is exchanged")
