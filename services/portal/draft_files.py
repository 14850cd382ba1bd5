"""Files with drafts of certificates: CSV and JSON, read into rows, and checked without sending anything."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from services.portal.drafts import tidy
from services.portal.forms import Form, FormInvalid
from shared.contracts.certificates.issuing import Consignment, DraftCertificate
from shared.contracts.certificates.products import ProductState
from shared.refusals import Refused
from shared.web.languages import Language

MAX_ROWS = 1_000
MAX_BYTES = 2 * 1024 * 1024
COLUMNS = {
    "certificate": "",
    "office": "office",
    "destination": "destination",
    "consignee_name": "consignee.name",
    "consignee_address": "consignee.address",
    "departure_date": "transport.departure_date",
    "vessel": "transport.vessel",
    "port_of_discharge": "transport.port_of_discharge",
    "product": "items.product_id",
    "hs_code": "items.hs_code",
    "marks": "items.marks",
    "packages": "items.packages",
    "package_kind": "items.package_kind",
    "quantity": "items.quantity",
    "unit": "items.unit",
    "gross_weight_kg": "items.gross_weight_kg",
    "fob_amount": "items.fob.amount",
    "fob_currency": "items.fob.currency",
    "invoice_number": "items.invoice_number",
    "invoice_date": "items.invoice_date",
    "manufacturer": "items.manufacturer",
    "trade_mark": "items.trade_mark",
    "route": "transport.route",
}
"""The columns of a file, and the fields of the contract. Rows with the same `certificate` are the items of one certificate."""
OPTIONAL = frozenset({"hs_code", "manufacturer", "trade_mark", "route"})
EXAMPLE = (
    "A1", "PNH", "MY", "Kuala Trading Sdn. Bhd.", "12 Jalan Ampang, Kuala Lumpur", "2026-12-01", "MV Mekong 12", "Port Klang",
    "Fragrant rice, Phka Rumduol, in bags of 50 kg", "10063040", "ARM 1-500", "500", "bags", "25000", "KGM", "25100",
    "18500.00", "USD", "ARM-2026-117", "2026-11-20", "Angkor Rice Mill Co., Ltd.", "ANGKOR", "",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class DraftFileUnreadable(Refused):
    code = "draft_file_unreadable"


class DraftFileEncodingUnknown(DraftFileUnreadable):
    variant = "encoding"


class DraftFileWithoutColumns(DraftFileUnreadable):
    variant = "columns"


class DraftFileEmpty(DraftFileUnreadable):
    variant = "empty"


class DraftFileTooLarge(Refused):
    code = "draft_file_too_large"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a file: its number as a person counts it, and its cells by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(kw_only=True)
class Planned:
    """One certificate of a file. `errors`: pairs of a row's number and a sentence; without errors it can be drafted."""

    key: str
    rows: list[Row]
    errors: list[tuple[int, str]] = field(default_factory=list)
    consignment: Consignment | None = None

    def certificate_id(self, exporter_id: UUID) -> UUID:
        """The id of the certificate: the same whenever a file with this key is imported."""
        return uuid5(exporter_id, f"import {self.key}")


def rows_of(content: bytes) -> list[Row]:
    """The rows of a file. Raises DraftFileUnreadable, DraftFileTooLarge."""
    if len(content) > MAX_BYTES:
        raise DraftFileTooLarge("file", most=MAX_ROWS)
    text = _decoded(content)
    rows = _from_json(text) if text.lstrip()[:1] in ("[", "{") else _from_csv(text)
    if not rows:
        raise DraftFileEmpty("file")
    return rows


def _decoded(content: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 if it begins with its mark. Raises DraftFileEncodingUnknown."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise DraftFileEncodingUnknown("file") from None
    if "\x00" in text:
        raise DraftFileEncodingUnknown("file")
    return text


def _from_csv(text: str) -> list[Row]:
    header = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names: list[str] | None = None
    rows: list[Row] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if names is None:
                names = [cell.strip().lower().replace(" ", "_") for cell in cells]
                _must_have_columns(names)
                continue
            _must_not_be_too_many(rows)
            known = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name in COLUMNS}
            rows.append(Row(number=reader.line_num, cells=known))
    except csv.Error:
        raise DraftFileUnreadable("file") from None
    return rows


def _from_json(text: str) -> list[Row]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise DraftFileUnreadable("file") from None
    entries = entries if isinstance(entries, list) else [entries]
    rows: list[Row] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            raise DraftFileUnreadable("file")
        _must_not_be_too_many(rows)
        cells = {
            name: "" if value is None else str(value).strip()
            for name, value in entry.items()
            if name in COLUMNS and not isinstance(value, (dict, list))
        }
        rows.append(Row(number=number, cells=cells))
    if rows:
        _must_have_columns([name for row in rows for name in row.cells])
    return rows


def _must_have_columns(names: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in names and name not in OPTIONAL]
    if missing:
        raise DraftFileWithoutColumns("file", missing=", ".join(missing))


def _must_not_be_too_many(rows: Sequence[Row]) -> None:
    if len(rows) >= MAX_ROWS:
        raise DraftFileTooLarge("file", most=MAX_ROWS)


def plan(rows: Sequence[Row], products: Sequence[ProductState], language: Language) -> list[Planned]:
    """The certificates of a file, in the order of the file, each checked by its contract."""
    planned: dict[str, Planned] = {}
    for row in rows:
        key = row.cells.get("certificate", "")[:100]
        planned.setdefault(key, Planned(key=key, rows=[])).rows.append(row)
    for each in planned.values():
        _check(each, products, language)
    return list(planned.values())


def _check(planned: Planned, products: Sequence[ProductState], language: Language) -> None:
    _, first = language.gettext, planned.rows[0]
    if not planned.key:
        empty = _("The column certificate is empty: give each certificate a key of your own.")
        planned.errors += [(row.number, empty) for row in planned.rows]
        return
    shared = [name for name, place in COLUMNS.items() if place and not place.startswith("items.")]
    for row in planned.rows[1:]:
        for name in shared:
            if row.cells.get(name, "") not in ("", first.cells.get(name, "")):
                differs = _("%(column)s differs from the first row of this certificate.") % {"column": name}
                planned.errors.append((row.number, differs))
    consignment: dict[str, Any] = {"consignee": {}, "transport": {}, "items": []}
    for name in shared:
        _put(consignment, COLUMNS[name], tidy(COLUMNS[name], first.cells.get(name, "")))
    for row in planned.rows:
        item: dict[str, Any] = {"fob": {}}
        for name, place in COLUMNS.items():
            if place.startswith("items."):
                _put(item, place.removeprefix("items."), tidy(place, row.cells.get(name, "")))
        _name_product(item, row, planned, products, language)
        consignment["items"].append(item)
    form = Form(language)
    try:
        ids = {"certificate_id": planned.certificate_id(UUID(int=0)), "exporter_id": UUID(int=0)}
        found = form.build(DraftCertificate, [], consignment=consignment, command_id=UUID(int=0), **ids)
    except FormInvalid:
        columns = {place: name for name, place in COLUMNS.items()}
        for place, sentence in form.errors:
            if place == "consignment.items":  # wrong items do not count as items
                continue
            parts = place.removeprefix("consignment.").split(".")
            number = planned.rows[int(parts[1])].number if parts[0] == "items" and len(parts) > 1 else first.number
            column = columns.get(".".join(part for part in parts if not part.isdigit()), parts[-1])
            if column != "product" or number not in {wrong for wrong, _reason in planned.errors}:
                planned.errors.append((number, f"{column}: {sentence}"))
        return
    planned.consignment = None if planned.errors else found.consignment


def _name_product(
    item: dict[str, Any], row: Row, planned: Planned, products: Sequence[ProductState], language: Language
) -> None:
    """Puts the id of the product in place of its description, and its HS code if the file has none."""
    _, named = language.gettext, str(item.get("product_id", ""))
    matching = [each for each in products if named.casefold() in (each.description.casefold(), str(each.product_id))]
    item.pop("product_id", None)
    if not named:
        return
    if len(matching) == 1:
        item["product_id"] = str(matching[0].product_id)
        item.setdefault("hs_code", matching[0].hs_code)
    elif matching:
        planned.errors.append((row.number, _("Several approved products have this description: give the id of one.")))
    else:
        planned.errors.append((row.number, _("product: your company has no approved product with this description or id.")))


def _put(place: dict[str, Any], name: str, value: str) -> None:
    *path, last = name.split(".")
    for part in path:
        place = place.setdefault(part, {})
    if value:
        place[last] = value


def neutral(cell: str) -> str:
    """A cell of a report that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Rows as a CSV file that spreadsheets open: UTF-8 with its mark."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([neutral(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()
