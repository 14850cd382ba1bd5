"""The XML of messages: our own profile with names of the WCO Data Model, until ASEAN's profile is public."""

from typing import Any

from lxml import etree

from services.gateway.wire.documents import DOCUMENT_TYPES, DocumentType, type_of
from services.gateway.wire.layout import VERSIONS, NotInVersion, read, write
from services.gateway.wire.messages import Envelope, Kind, WireModel
from services.gateway.wire.profile import CONTENTS, ENVELOPE
from shared.contracts.messages import Contract

MESSAGE_NAMESPACES = {f"urn:co-automation:asw:message:{version}": version for version in VERSIONS}
MESSAGE = "Message"
LATEST = VERSIONS[-1]


class NotXml(Exception):
    """The text is not XML, or has a document type."""


def message_namespace(version: int) -> str:
    """The namespace of messages of a version."""
    return f"urn:co-automation:asw:message:{version}"


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


def version_of(root: Any) -> int | None:
    """The version of the profile that a message has; None if this is no message of ours."""
    name = etree.QName(root)
    return MESSAGE_NAMESPACES.get(name.namespace or "") if name.localname == MESSAGE else None


def write_document(document: Contract, version: int = LATEST) -> bytes:
    """The XML of a document without an envelope, for customs. Raises NotInVersion."""
    written: bytes = etree.tostring(_document_element(document, version), encoding="UTF-8", xml_declaration=True)
    return written


def read_document(root: Any, version: int = LATEST) -> Contract:
    """A document from its element. Raises ValidationError, and KeyError for an element of no kind of document."""
    kind = _types_by_tag(version)[root.tag]
    return kind.model.model_validate(read(root, kind.layout, kind.namespace(version), version))


def write_message(envelope: Envelope, content: WireModel, version: int = LATEST) -> Any:
    """The XML of a message, without a signature. Raises NotInVersion."""
    kind, namespace = CONTENTS[envelope.kind], message_namespace(version)
    if kind.since > version:
        raise NotInVersion(version, (envelope.kind,))
    root = etree.Element(f"{{{namespace}}}{MESSAGE}", nsmap={None: namespace})
    write(root, ENVELOPE, envelope.model_dump(), namespace, version)
    holder = etree.SubElement(root, f"{{{namespace}}}{envelope.kind}")
    write(holder, kind.layout, content.model_dump(), namespace, version)
    if kind.holds_document:
        form = getattr(content, "form")  # noqa: B009 - only the kinds that hold a document have it
        holder.append(_document_element(form, version))
    return root


def read_envelope(root: Any, version: int = LATEST) -> Envelope:
    """The envelope of a message. Raises ValidationError."""
    return Envelope.model_validate(read(root, ENVELOPE, message_namespace(version), version))


def read_content(root: Any, kind: Kind, version: int = LATEST) -> WireModel:
    """The content of a message. Raises ValidationError."""
    content, namespace = CONTENTS[kind], message_namespace(version)
    holder = root.find(f"{{{namespace}}}{kind}")
    values: dict[str, Any] = {} if holder is None else read(holder, content.layout, namespace, version)
    if content.holds_document and holder is not None:
        types = _types_by_tag(version)
        for child in holder:
            if child.tag in types:
                values["form"] = read_document(child, version)
    return content.model.model_validate(values)


def _types_by_tag(version: int) -> dict[str, DocumentType]:
    present = (each for each in DOCUMENT_TYPES.values() if each.since <= version)
    return {f"{{{each.namespace(version)}}}{each.element}": each for each in present}


def _document_element(document: Contract, version: int) -> Any:
    kind = type_of(document)
    if kind.since > version:
        raise NotInVersion(version, (kind.element,))
    namespace = kind.namespace(version)
    root = etree.Element(f"{{{namespace}}}{kind.element}", nsmap={None: namespace})
    write(root, kind.layout, document.model_dump(), namespace, version)
    return root
