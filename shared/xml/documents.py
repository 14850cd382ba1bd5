"""A document as XML: written, read, found in a message, and compared with what was issued.

The profile is our own, with names of the WCO Data Model, until ASEAN's profile is public.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from lxml import etree

from shared.contracts.messages import Contract
from shared.xml.bounds import OutOfBounds, SignatureShapeWrong, must_be_in_bounds
from shared.xml.document_types import DOCUMENT_TYPES, DocumentType, type_of
from shared.xml.layout import VERSIONS, NotInVersion, read, write

LATEST = VERSIONS[-1]
MESSAGE = "Message"
"""The root element of messages, which may hold a document."""


class NotXml(Exception):
    """The text is not XML, or has a document type."""


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


def write_document(document: Contract, version: int = LATEST) -> bytes:
    """The XML of a document without an envelope. Raises NotInVersion."""
    written: bytes = etree.tostring(document_element(document, version), encoding="UTF-8", xml_declaration=True)
    return written


def document_element(document: Contract, version: int) -> Any:
    """The element of a document. Raises NotInVersion."""
    kind = type_of(document)
    if kind.since > version:
        raise NotInVersion(version, (kind.element,))
    namespace = kind.namespace(version)
    root = etree.Element(f"{{{namespace}}}{kind.element}", nsmap={None: namespace})
    write(root, kind.layout, document.model_dump(), namespace, version)
    return root


def read_document(root: Any, version: int = LATEST) -> Contract:
    """A document from its element. Raises ValidationError, and KeyError for an element of no kind of document."""
    kind = types_by_tag(version)[root.tag]
    return kind.model.model_validate(read(root, kind.layout, kind.namespace(version), version))


def types_by_tag(version: int) -> dict[str, DocumentType]:
    """The kinds of documents that a version has, each by the qualified name of its element."""
    present = (each for each in DOCUMENT_TYPES.values() if each.since <= version)
    return {f"{{{each.namespace(version)}}}{each.element}": each for each in present}


def message_namespace(version: int) -> str:
    """The namespace of messages of a version."""
    return f"urn:co-automation:asw:message:{version}"


def document_in(text: bytes) -> Any:
    """The element of the one document in an XML text from outside: the root, or what a message holds. Raises NotXml.

    Nothing may stand around a document that a reader could take for it. So other wrappers and other documents are refused.
    Comments are refused too, because a reader may take a value only up to its comment.
    """
    try:
        must_be_in_bounds(text)
    except (OutOfBounds, SignatureShapeWrong) as error:
        raise NotXml(str(error)) from error
    root = parse(text)
    names = {kind.element for kind in DOCUMENT_TYPES.values()}
    found = [each for each in root.iter("*") if etree.QName(each).localname in names]
    if len(found) != 1 or next(root.iter(etree.Comment), None) is not None:
        raise NotXml("it holds a comment, or not exactly one document")
    (element,) = found
    messages = {f"{{{message_namespace(version)}}}{MESSAGE}" for version in VERSIONS}
    is_held = element.getparent() is not None and element.getparent().getparent() is root and root.tag in messages
    if element.tag not in {tag for version in VERSIONS for tag in types_by_tag(version)} or not (element is root or is_held):
        raise NotXml("it holds no document of a known kind")
    return element


def reference_in(element: Any) -> str:
    """The reference that the element of a document names; empty if it names none."""
    found: str | None = element.findtext(f"{{{etree.QName(element).namespace}}}ID")
    return found or ""


def digest_of_element(element: Any) -> str:
    """The SHA-256 of every element, attribute and value of a document, as hexadecimal digits.

    Prefixes and indentation do not count. So a document that a program has saved again has the same digest, and one with
    another value has not.
    """
    content = json.dumps(list(_content(element)), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def digests_of(document: Contract) -> tuple[str, ...]:
    """The digests of a document in each version of the profile that can express it, oldest first."""
    return tuple(_digests(document))


def _digests(document: Contract) -> Iterator[str]:
    for version in VERSIONS:
        try:
            yield digest_of_element(document_element(document, version))
        except NotInVersion:
            continue


def _content(element: Any, depth: int = 0) -> Iterator[tuple[int, str, list[tuple[str, str]], str]]:
    text = "".join((element.text or "", *(part.tail or "" for part in element)))
    yield depth, element.tag, sorted(element.attrib.items()), text.strip() if len(element) else text
    for part in element:
        yield from _content(part, depth + 1)
