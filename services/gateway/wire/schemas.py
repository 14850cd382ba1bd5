"""XML Schemas of messages and documents, generated from the layouts: `python -m services.gateway.wire.schemas`.

Both sides validate every message: the sender before it signs, the receiver after it has verified the signature.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree

from services.gateway.wire.messages import Kind
from services.gateway.wire.profile import CONTENTS, ENVELOPE, kinds_of
from shared.xml.document_types import DOCUMENT_TYPES, DocumentType
from shared.xml.documents import MESSAGE, message_namespace
from shared.xml.layout import VERSIONS, Layout, Part, Type, code_type, in_version

FOLDER = Path(__file__).parents[1] / "schemas"
XS = "http://www.w3.org/2001/XMLSchema"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
MAX_ERRORS = 5
MAX_NAME = 40


class SchemaViolated(ValueError):
    """A message does not have the form of its schema. `places`: at most five elements, with the reason of each."""

    def __init__(self, places: list[str]) -> None:
        self.places = places
        super().__init__("; ".join(places))


@dataclass
class _Node:
    """An element of a schema."""

    name: str
    meaning: str = ""
    type: Type | None = None
    optional: bool = False
    many: bool = False
    at_least: int = 0
    attributes: list[tuple[str, Type, str]] = field(default_factory=list)
    children: list["_Node"] = field(default_factory=list)
    holds: tuple[str, ...] = ()
    """The names of the elements of other schemas that it holds, one of them."""

    def child(self, name: str) -> "_Node":
        if self.children and self.children[-1].name == name and not self.children[-1].many:
            return self.children[-1]
        self.children.append(_Node(name))
        return self.children[-1]

    @property
    def may_be_absent(self) -> bool:
        if self.type is not None or not self.children or self.many:
            return self.optional
        return self.optional or all(each.may_be_absent for each in self.children)


def must_be_valid(root: Any, kind: Kind, version: int) -> None:
    """Raises SchemaViolated unless a message has the form of its kind in this version."""
    if CONTENTS[kind].since > version:
        raise SchemaViolated([f"{kind} (not in version {version})"])
    schema = _schema(_file_of_kind(kind), version)
    if not schema.validate(root):
        raise SchemaViolated([_place_of(root, error.path, error.message) for error in list(schema.error_log)[:MAX_ERRORS]])


@lru_cache
def _schema(file: str, version: int) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(FOLDER / f"v{version}" / file))


def _place_of(root: Any, path: str, message: str) -> str:
    """The element and the reason, as in `EFormD.Exporter.Name (not allowed)`, without the values of the message."""
    found = root.getroottree().xpath(path)
    names: list[str] = []
    for element in (found[0], *found[0].iterancestors()) if found else ():
        same = element.getparent().findall(element.tag) if element.getparent() is not None else [element]
        number = f"[{same.index(element) + 1}]" if len(same) > 1 else ""
        names.insert(0, f"{etree.QName(element).localname[:MAX_NAME]}{number}")
    why = "incomplete" if "Missing child" in message else "not expected" if "not expected" in message else "not allowed"
    return f"{'.'.join(names[1:])} ({why})"


def all_schemas() -> Iterator[tuple[Path, str]]:
    """The file and the text of every schema."""
    for version in VERSIONS:
        folder = FOLDER / f"v{version}"
        for kind in kinds_of(version):
            yield folder / _file_of_kind(kind), _text(_message_schema(kind, version))
        for document in _documents_of(version):
            yield folder / _file_of(document), _text(_document_schema(document, version))


def _documents_of(version: int) -> list[DocumentType]:
    return [each for each in DOCUMENT_TYPES.values() if each.since <= version]


def _file_of_kind(kind: Kind) -> str:
    words = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind.value)
    return f"{words.lstrip('-')}.xsd"


def _file_of(document: DocumentType) -> str:
    return f"{document.code.replace('_', '-')}.xsd"


def _message_schema(kind: Kind, version: int) -> Any:
    content = CONTENTS[kind]
    held = [each for each in _documents_of(version) if content.holds_document]
    if content.holds_document and kind is not Kind.DOCUMENT:
        held = [each for each in held if each.model is content.model.model_fields["form"].annotation]
    root = _nodes(_Node(MESSAGE, content.meaning), ENVELOPE, version)
    next(each for each in root.children if each.name == "Kind").type = code_type("Kind", kind)
    holder = _nodes(_Node(kind.value, content.meaning), content.layout, version)
    holder.holds = tuple(f"{each.code.replace('_', '-')}:{each.element}" for each in held)
    root.children.append(holder)
    imports = {each.code.replace("_", "-"): (each.namespace(version), _file_of(each)) for each in held}
    return _schema_element(root, message_namespace(version), imports, signed=True)


def _document_schema(document: DocumentType, version: int) -> Any:
    root = _nodes(_Node(document.element, f"A document: {document.element}."), document.layout, version)
    return _schema_element(root, document.namespace(version), {})


def _nodes(parent: _Node, layout: Layout, version: int) -> _Node:
    for _, place in in_version(layout, version):
        path, _, attribute = place.path.partition("/@")
        node = parent
        for name in path.split("/"):
            node = node.child(name)
        if isinstance(place, Part):
            node.meaning, node.optional = place.meaning, place.optional
            node.many, node.at_least = place.many, place.at_least
            _nodes(node, place.layout, version)
        elif attribute:
            node.attributes.append((attribute, place.type, place.meaning))
        else:
            node.meaning, node.type, node.optional = place.meaning, place.type, place.optional
    return parent


def _schema_element(root: _Node, namespace: str, imports: dict[str, tuple[str, str]], signed: bool = False) -> Any:
    prefixes = {prefix: uri for prefix, (uri, _) in imports.items()}
    schema = etree.Element(
        f"{{{XS}}}schema",
        nsmap={"xs": XS, "m": namespace} | prefixes,
        targetNamespace=namespace,
        elementFormDefault="qualified",
    )
    for uri, file in imports.values():
        etree.SubElement(schema, f"{{{XS}}}import", namespace=uri, schemaLocation=file)
    for each in _types_of(root):
        _add_type(schema, each)
    element = _add_element(schema, root)
    if signed:
        sequence = element.find(f"{{{XS}}}complexType/{{{XS}}}sequence")
        etree.SubElement(sequence, f"{{{XS}}}any", namespace=DSIG, processContents="skip", minOccurs="0")
    return schema


def _types_of(node: _Node) -> list[Type]:
    found = {each.name: each for each in _all_types(node)}
    return [found[name] for name in sorted(found)]


def _all_types(node: _Node) -> Iterator[Type]:
    if node.type is not None:
        yield node.type
    yield from (each for _, each, _ in node.attributes)
    for child in node.children:
        yield from _all_types(child)


def _add_type(schema: Any, kind: Type) -> None:
    simple = etree.SubElement(schema, f"{{{XS}}}simpleType", name=kind.name)
    restriction = etree.SubElement(simple, f"{{{XS}}}restriction", base=f"xs:{kind.base}")
    for facet, value in kind.facets:
        etree.SubElement(restriction, f"{{{XS}}}{facet}", value=value)


def _add_element(parent: Any, node: _Node) -> Any:
    element = etree.SubElement(parent, f"{{{XS}}}element", name=node.name)
    if parent.tag == f"{{{XS}}}sequence":
        if node.many:
            element.set("minOccurs", str(node.at_least))
            element.set("maxOccurs", "unbounded")
        elif node.may_be_absent:
            element.set("minOccurs", "0")
    if node.meaning:
        annotation = etree.SubElement(element, f"{{{XS}}}annotation")
        etree.SubElement(annotation, f"{{{XS}}}documentation").text = node.meaning
    if node.type is not None and not node.attributes:
        element.set("type", f"m:{node.type.name}")
    elif node.type is not None:
        content = etree.SubElement(etree.SubElement(element, f"{{{XS}}}complexType"), f"{{{XS}}}simpleContent")
        _add_attributes(etree.SubElement(content, f"{{{XS}}}extension", base=f"m:{node.type.name}"), node)
    else:
        sequence = etree.SubElement(etree.SubElement(element, f"{{{XS}}}complexType"), f"{{{XS}}}sequence")
        for child in node.children:
            _add_element(sequence, child)
        if node.holds:
            choice = etree.SubElement(sequence, f"{{{XS}}}choice")
            for name in node.holds:
                etree.SubElement(choice, f"{{{XS}}}element", ref=name)
    return element


def _add_attributes(extension: Any, node: _Node) -> None:
    for name, kind, _ in node.attributes:
        etree.SubElement(extension, f"{{{XS}}}attribute", name=name, type=f"m:{kind.name}", use="required")


def _text(schema: Any) -> str:
    return str(etree.tostring(schema, encoding="unicode", pretty_print=True))


def write_all(files: Iterable[tuple[Path, str]]) -> None:
    """Writes the files."""
    for file, text in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    write_all(all_schemas())
