"""Reads the consignments of `examples/` as commands of an exporter."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from shared.contracts.certificates.issuing import Consignment
from shared.contracts.certificates.products import RegisterProduct

FOLDER = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Expected:
    """The expected result of a consignment: the last public code, all codes in order, the fee in riel."""

    status: str
    codes: list[str]
    fee_khr: int
    fob_disclosed: list[bool]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """One consignment and its exporter."""

    title: str
    goods: str
    exporter_name: str
    exporter_name_km: str
    exporter_address: str
    exporter_district: str
    remarks: str | None
    """The remarks of the first officer who returns the application, if any."""
    expected: Expected
    _content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Example":
        """Reads one file."""
        content = json.loads(path.read_text())
        return cls(
            title=content["title"],
            goods=content["goods"],
            exporter_name=content["exporter"]["name"],
            exporter_name_km=content["exporter"]["name_km"],
            exporter_address=content["exporter"]["address"],
            exporter_district=content["exporter"]["district"],
            remarks=content.get("returned_first", {}).get("remarks"),
            expected=Expected(**content["expected"]),
            _content=content,
        )

    @property
    def destination(self) -> str:
        """The country of destination."""
        return str(self._content["consignment"]["destination"])

    @property
    def office(self) -> str:
        """The issuing office."""
        return str(self._content["consignment"]["office"])

    def products(self, exporter_id: UUID) -> list[RegisterProduct]:
        """The products to register first."""
        return [
            RegisterProduct(product_id=uuid4(), exporter_id=exporter_id, **product) for product in self._content["products"]
        ]

    def consignment(self, products: list[RegisterProduct], today: date, *, corrected: bool = False) -> Consignment:
        """The consignment as entered on `today`. `corrected`: with the corrections after its return."""
        entered = self._content["consignment"]
        transport = {**entered["transport"]}
        departure = today + timedelta(days=transport.pop("departs_in_days"))
        items = []
        for entry in entered["items"]:
            item = {**entry}
            product = products[item.pop("product")]
            invoiced = today - timedelta(days=item.pop("invoiced_days_ago"))
            if corrected:
                item["marks"] = self._content["returned_first"]["corrected_marks"]
            items.append({**item, "product_id": product.product_id, "invoice_date": invoiced})
        return Consignment.model_validate({**entered, "transport": {**transport, "departure_date": departure}, "items": items})


def all_examples() -> list[Example]:
    """All consignments, sorted by file name."""
    return [Example.read(path) for path in sorted(FOLDER.glob("[0-9]*.json"))]
