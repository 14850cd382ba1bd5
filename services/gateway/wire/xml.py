"""The XML form of messages: our own profile with names of the WCO Data Model, until ASEAN's profile is public.

A layout gives the path of each field, for writing and for reading: `A/B` is element B in element A, `A/@b` an attribute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from services.gateway.wire.messages import CONTENTS, Envelope, Kind, WireModel
from shared.contracts.certificates.documents import FormD

MESSAGE_NS = "urn:co-automation:asw:message:1"
FORM_NS = "urn:co-automation:asw:e-form-d:1"
VERSION = "1.0"
MESSAGE = f"{{{MESSAGE_NS}}}Message"
FORM = "EFormD"


class NotXml(Exception):
    """The text is not XML, or has a document type."""


@dataclass(frozen=True)
class Part:
    """A part with a layout of its own. `many`: it may occur several times."""

    path: str
    layout: "Layout"
    many: bool = False


Layout = Mapping[str, str | Part]

PARTY: Layout = {"name": "Name", "address": "Address/Line", "country": "Address/CountryCode"}
ITEM: Layout = {
    "number": "SequenceNumeric",
    "marks": "Packaging/MarksNumbersID",
    "packages": "Packaging/QuantityQuantity",
    "package_kind": "Packaging/TypeCode",
    "description": "Commodity/Description",
    "hs_code": "Commodity/Classification/ID",
    "criterion": "Origin/CriterionCode",
    "quantity": "GoodsMeasure/TariffQuantity",
    "unit": "GoodsMeasure/TariffQuantity/@unitCode",
    "gross_weight_kg": "GoodsMeasure/GrossMassMeasure",
    "fob": Part("CustomsValuation", {"amount": "FreeOnBoardAmount", "currency": "FreeOnBoardAmount/@currencyID"}),
    "invoice_number": "Invoice/ID",
    "invoice_date": "Invoice/IssueDate",
}
FORM_D: Layout = {
    "reference": "ID",
    "issuing_country": "IssueLocation/CountryCode",
    "office": "IssueLocation/ID",
    "issued_on": "IssueDate",
    "valid_until": "ExpirationDate",
    "issued_retroactively": "RetroactiveIssueIndicator",
    "exporter": Part("Exporter", PARTY),
    "consignee": Part("Consignee", PARTY),
    "destination": "Destination/CountryCode",
    "departure_date": "Consignment/DepartureDate",
    "vessel": "Consignment/BorderTransportMeans/Name",
    "port_of_discharge": "Consignment/UnloadingLocation/Name",
    "items": Part("Consignment/GovernmentAgencyGoodsItem", ITEM, many=True),
}
ENVELOPE: Layout = {
    "message_id": "MessageID",
    "kind": "Kind",
    "sender": "Sender/CountryCode",
    "receiver": "Receiver/CountryCode",
    "sent_at": "SentAt",
    "reference": "Reference",
    "number": "TransmissionNumber",
}
REASONS = Part("Reason", {"code": "Code", "detail": "Detail"}, many=True)
CONTENT: dict[Kind, Layout] = {
    Kind.DOCUMENT: {},
    Kind.RECEIPT: {"in_reply_to": "InReplyTo", "received_at": "ReceivedAt", "reasons": REASONS},
    Kind.RESPONSE: {"code": "Code", "decided_at": "DecidedAt", "received_at": "ReceivedAt", "reasons": REASONS},
}


def parse(data: bytes) -> Any:
    """The root of an XML text in UTF-8. No entity, document type or network access is allowed. Raises NotXml."""
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml("this is not well-formed XML") from error
    if root.getroottree().docinfo.doctype or root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("a document type is not allowed")
    return root


def write_form(form: FormD) -> bytes:
    """The XML of an e-Form D without an envelope, for customs."""
    written: bytes = etree.tostring(_form_element(form), encoding="UTF-8", xml_declaration=True)
    return written


def read_form(root: Any) -> FormD:
    """An e-Form D from its element. Raises ValidationError."""
    return FormD.model_validate(_read(root, FORM_D, FORM_NS))


def write_message(envelope: Envelope, content: WireModel) -> Any:
    """The XML of a message, without a signature."""
    root = etree.Element(MESSAGE, nsmap={None: MESSAGE_NS}, version=VERSION)
    _write(root, ENVELOPE, envelope.model_dump(), MESSAGE_NS)
    holder = etree.SubElement(root, f"{{{MESSAGE_NS}}}{envelope.kind}")
    form = getattr(content, "form", None)
    if isinstance(form, FormD):
        holder.append(_form_element(form))
    else:
        _write(holder, CONTENT[envelope.kind], content.model_dump(), MESSAGE_NS)
    return root


def read_envelope(root: Any) -> Envelope:
    """The envelope of a message. Raises ValidationError."""
    return Envelope.model_validate(_read(root, ENVELOPE, MESSAGE_NS))


def read_content(root: Any, kind: Kind) -> WireModel:
    """The content of a message. Raises ValidationError."""
    holder = root.find(f"{{{MESSAGE_NS}}}{kind}")
    values = {} if holder is None else _read(holder, CONTENT[kind], MESSAGE_NS)
    form = None if holder is None else holder.find(f"{{{FORM_NS}}}{FORM}")
    if kind is Kind.DOCUMENT and form is not None:
        values["form"] = read_form(form)
    return CONTENTS[kind].model_validate(values)


def _form_element(form: FormD) -> Any:
    root = etree.Element(f"{{{FORM_NS}}}{FORM}", nsmap={None: FORM_NS}, version=VERSION)
    _write(root, FORM_D, form.model_dump(), FORM_NS)
    return root


def _write(parent: Any, layout: Layout, values: Mapping[str, Any], namespace: str) -> None:
    for field, place in layout.items():
        value = values[field]
        if isinstance(place, Part):
            path, _, last = place.path.rpartition("/")
            for part in value if place.many else filter(None, [value]):
                element = etree.SubElement(_element(parent, path, namespace), f"{{{namespace}}}{last}")
                _write(element, place.layout, part, namespace)
        elif value is not None:
            path, _, attribute = place.partition("/@")
            if attribute:
                _element(parent, path, namespace).set(attribute, _as_text(value))
            else:
                _element(parent, path, namespace).text = _as_text(value)


def _element(parent: Any, path: str, namespace: str) -> Any:
    """The element at a path. Missing elements are added at the end."""
    for name in filter(None, path.split("/")):
        found = parent.find(f"{{{namespace}}}{name}")
        parent = etree.SubElement(parent, f"{{{namespace}}}{name}") if found is None else found
    return parent


def _read(parent: Any, layout: Layout, namespace: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field, place in layout.items():
        if isinstance(place, Part):
            found = [_read(one, place.layout, namespace) for one in parent.findall(_qualified(place.path, namespace))]
            if place.many:
                values[field] = found
            elif found:
                values[field] = found[0]
        elif (text := _text(parent, place, namespace)) is not None:
            values[field] = text
    return values


def _text(parent: Any, place: str | Part, namespace: str) -> str | None:
    path, _, attribute = str(place).partition("/@")
    found = parent.find(_qualified(path, namespace))
    if found is None:
        return None
    text: str | None = found.get(attribute) if attribute else found.text or ""
    return text


def _qualified(path: str, namespace: str) -> str:
    return "/".join(f"{{{namespace}}}{name}" for name in path.split("/"))


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return format(value, "f") if isinstance(value, Decimal) else str(value)
