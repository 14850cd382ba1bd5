"""The fields of a document of any kind, as its layout names them, for the pages of customs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.contracts.gateway.received import ReceivedField
from shared.contracts.messages import Contract
from shared.xml.document_types import type_of
from shared.xml.layout import Layout, Part

MAX_VALUE = 6000
"""Maximum characters of a field: those of the longest type of a layout."""


@dataclass(frozen=True)
class DocumentFields:
    """The fields of a document, and those of each of its items."""

    fields: Sequence[ReceivedField]
    lines: Sequence[Sequence[ReceivedField]]


def fields_of(document: Contract) -> DocumentFields:
    """Every field with a value, in the order of the layout. The first part that can occur several times has the items."""
    layout, values = type_of(document).layout, document.model_dump()
    items = next((name for name, place in layout.items() if isinstance(place, Part) and place.many), None)
    rest = {name: place for name, place in layout.items() if name != items}
    lines: list[Sequence[ReceivedField]] = []
    if items is not None:
        place = layout[items]
        assert isinstance(place, Part)
        lines = [tuple(_fields(place.layout, each, "")) for each in values[items]]
    return DocumentFields(tuple(_fields(rest, values, "")), lines)


def _fields(layout: Layout, values: Mapping[str, Any], before: str) -> Iterator[ReceivedField]:
    for name, place in layout.items():
        value = values[name]
        if value is None:
            continue
        if isinstance(place, Part):
            for position, each in enumerate(value if place.many else (value,), start=1):
                number = f"{position}." if place.many else ""
                yield from _fields(place.layout, each, f"{before}{name}.{number}")
        else:
            yield ReceivedField(name=f"{before}{name}", meaning=place.meaning, value=_as_text(value)[:MAX_VALUE])


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, "f") if isinstance(value, Decimal) else str(value)
