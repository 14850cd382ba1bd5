"""The tariffs with their dates of effect, as the data file of this release holds them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from services.fees.domain import GoodsClass, Line, Row, Tariff
from shared.settings import Settings

FILE = Path(__file__).parent / "data" / "tariffs.json"


@dataclass(frozen=True)
class Tariffs:
    """Every tariff there was and is."""

    tariffs: Sequence[Tariff]

    @classmethod
    def load(cls) -> "Tariffs":
        """Reads the data file."""
        return cls([_tariff(row) for row in json.loads(FILE.read_text())])

    def on(self, day: date) -> Tariff:
        """The tariff in force on a legal date. Raises LookupError before the first."""
        in_force = [tariff for tariff in self.tariffs if tariff.effective_from <= day]
        if not in_force:
            raise LookupError(f"no tariff is in force on {day}")
        return max(in_force, key=lambda tariff: tariff.effective_from)


def _tariff(row: dict) -> Tariff:  # type: ignore[type-arg]
    return Tariff(
        effective_from=date.fromisoformat(row["effective_from"]),
        source=row["source"],
        classes=[GoodsClass(**{**kind, "hs_prefixes": tuple(kind.get("hs_prefixes", ()))}) for kind in row["classes"]],
        rows=[Row(line["class"], Decimal(line["above"]), line["fee_khr"]) for line in row["rows"]],
        also_shown=[Line(**line) for line in row["also_shown"]],
    )


def tools(settings: Settings) -> Iterable[object]:
    """What the handlers of fees use."""
    yield Tariffs.load()
