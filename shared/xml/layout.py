"""Layouts: where each field of a model stands in XML, its type, its meaning, and since which version of the profile.

A layout is read and written by the same code, and its XML Schema and its documentation are generated from it. A path `A/B` is
element B in element A, and `A/@b` an attribute. Fields with the same parent stand together, in the order of the elements.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

VERSIONS = (1, 2)
"""The versions of our profile, oldest first. A namespace ends with its version."""


@dataclass(frozen=True)
class Type:
    """A simple type of the schema: its name, a type of XML Schema, and its facets."""

    name: str
    base: str
    facets: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a field stands. `optional`: it may be absent. `since`: the version that added it.

    `repeated`: another field contains it too, or no preference depends on it, so a version that does not have it leaves it out.
    """

    path: str
    type: Type
    meaning: str
    optional: bool = False
    since: int = 1
    repeated: bool = False


@dataclass(frozen=True)
class Part:
    """A part with a layout of its own. `many`: it may occur several times; `at_least`: so many times."""

    path: str
    layout: "Layout"
    meaning: str
    optional: bool = False
    many: bool = False
    at_least: int = 0
    since: int = 1


Layout = Mapping[str, Place | Part]


class NotInVersion(ValueError):
    """A version of the profile cannot express a value. `fields`: its paths."""

    def __init__(self, version: int, fields: tuple[str, ...]) -> None:
        self.version, self.fields = version, fields
        super().__init__(f"version {version} has no {', '.join(fields)}")


def in_version(layout: Layout, version: int) -> Iterator[tuple[str, Place | Part]]:
    """The fields of a layout that a version has."""
    return ((field, place) for field, place in layout.items() if place.since <= version)


def write(parent: Any, layout: Layout, values: Mapping[str, Any], namespace: str, version: int) -> None:
    """Writes the values below an element. Raises NotInVersion for a value that this version does not have."""
    absent = [(field, place) for field, place in layout.items() if place.since > version and values[field]]
    lost = tuple(place.path for _, place in absent if isinstance(place, Part) or not place.repeated)
    if lost:
        raise NotInVersion(version, lost)
    for field, place in in_version(layout, version):
        value = values[field]
        if isinstance(place, Part):
            path, _, last = place.path.rpartition("/")
            for part in value if place.many else () if value is None else (value,):
                element = etree.SubElement(_element(parent, path, namespace), f"{{{namespace}}}{last}")
                write(element, place.layout, part, namespace, version)
        elif value is not None:
            path, _, attribute = place.path.partition("/@")
            element = _element(parent, path, namespace)
            if attribute:
                element.set(attribute, _as_text(value))
            else:
                element.text = _as_text(value)


def read(parent: Any, layout: Layout, namespace: str, version: int) -> dict[str, Any]:
    """The values below an element. A value that is absent is left out."""
    values: dict[str, Any] = {}
    for field, place in in_version(layout, version):
        if isinstance(place, Part):
            found = [read(one, place.layout, namespace, version) for one in parent.findall(_qualified(place.path, namespace))]
            if place.many:
                values[field] = found
            elif found:
                values[field] = found[0]
        elif (text := _text(parent, place.path, namespace)) is not None:
            values[field] = text
    return values


def _element(parent: Any, path: str, namespace: str) -> Any:
    """The element at a path. Missing elements are added at the end."""
    for name in filter(None, path.split("/")):
        found = parent.find(f"{{{namespace}}}{name}")
        parent = etree.SubElement(parent, f"{{{namespace}}}{name}") if found is None else found
    return parent


def _text(parent: Any, place: str, namespace: str) -> str | None:
    path, _, attribute = place.partition("/@")
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


def _limited(name: str, base: str, **facets: object) -> Type:
    return Type(name, base, tuple((facet, str(value)) for facet, value in facets.items()))


LINE = _limited("Line", "string", minLength=1, maxLength=200)
TEXT = _limited("Text", "string", minLength=1, maxLength=6000)
DETAIL = _limited("Detail", "string", minLength=1, maxLength=500)
SLUG = _limited("ReasonCode", "string", pattern="[a-z][a-z0-9_]{0,63}")
UUID_ = _limited("UUID", "string", pattern="[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
COUNTRY = _limited("CountryCode", "string", pattern="[A-Z]{2}")
REFERENCE = _limited("Reference", "string", pattern="[A-Z0-9]{1,8}-[A-Z]{2,5}-[0-9]{6,9}")
ANY_REFERENCE = _limited("ForeignReference", "string", minLength=1, maxLength=60)
OFFICE = _limited("OfficeCode", "string", pattern="[A-Z]{2,5}")
HS_CODE = _limited("HSCode", "string", pattern="[0-9]{6,11}")
CRITERION = _limited("Criterion", "string", minLength=1, maxLength=40)
UNIT = _limited("UnitCode", "string", pattern="[A-Z0-9]{2,3}")
CURRENCY = _limited("CurrencyCode", "string", pattern="[A-Z]{3}")
COUNT = _limited("Count", "integer", minInclusive=1, maxInclusive=10_000_000)
NUMBER = _limited("TransmissionNumber", "integer", minInclusive=1, maxInclusive=9999)
QUANTITY = _limited("Quantity", "decimal", minInclusive=0, totalDigits=30)
DAY = _limited("Date", "date", pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = _limited("Instant", "dateTime", pattern="2[01][0-9]{2}-.*(Z|[+-][0-9]{2}:[0-9]{2})")
FLAG = Type("Indicator", "boolean", (("pattern", "true|false"),))


def code_type(name: str, *codes: str) -> Type:
    """A type with these values."""
    return Type(name, "string", tuple(("enumeration", code) for code in codes))
