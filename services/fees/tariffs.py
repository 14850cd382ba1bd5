"""The tariffs of this release, with their dates of effect."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from services.fees.domain import GoodsClass, Line, NoTariff, Row, Tariff
from shared.dated import NothingInForce, in_force
from shared.settings import Settings

FILE = Path(__file__).parent / "data" / "tariffs.json"


@dataclass(frozen=True)
class Tariffs:
    """All tariffs, former and present."""

    tariffs: Sequence[Tariff]

    @classmethod
    def load(cls) -> "Tariffs":
        """Reads the data file."""
        return cls([_tariff(row) for row in json.loads(FILE.read_text())])

    def on(self, day: date) -> Tariff:
        """The tariff in force on a legal date. Raises NothingInForce before the first."""
        return in_force(self.tariffs, day)

    def asked_for(self, day: date) -> Tariff:
        """The tariff in force on a day that a person names. Raises NoTariff before the first."""
        try:
            return self.on(day)
        except NothingInForce:
            raise NoTariff("on", day=day) from None


def _tariff(row: dict) -> Tariff:  # type: ignore[type-arg]
    return Tariff(
        effective_from=date.fromisoformat(row["effective_from"]),
        source=row["source"],
        classes=[GoodsClass(**{**kind, "hs_prefixes": tuple(kind.get("hs_prefixes", ()))}) for kind in row["classes"]],
        rows=[Row(line["class"], Decimal(line["above"]), line["fee_khr"]) for line in row["rows"]],
        also_shown=[Line(**line) for line in row["also_shown"]],
    )


def tools(settings: Settings) -> Iterable[object]:
    """The objects that the handlers of fees use."""
    yield Tariffs.load()
