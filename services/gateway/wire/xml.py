"""The XML of messages: an envelope with a content, which may hold a document. `shared/xml` has the documents."""

from typing import Any

from lxml import etree

from services.gateway.wire.messages import Envelope, Kind, WireModel
from services.gateway.wire.profile import CONTENTS, ENVELOPE
from shared.xml.documents import LATEST, MESSAGE, document_element, message_namespace, read_document, types_by_tag
from shared.xml.layout import VERSIONS, NotInVersion, read, write

MESSAGE_NAMESPACES = {message_namespace(version): version for version in VERSIONS}


def version_of(root: Any) -> int | None:
    """The version of the profile that a message has; None if this is no message of ours."""
    name = etree.QName(root)
    return MESSAGE_NAMESPACES.get(name.namespace or "") if name.localname == MESSAGE else None


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
        holder.append(document_element(form, version))
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
        types = types_by_tag(version)
        for child in holder:
            if child.tag in types:
                values["form"] = read_document(child, version)
    return content.model.model_validate(values)
