"""The reasons for which customs can deny the preference, as dated data."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from shared.dated import effective_from
from shared.refusals import Refused

FILE = Path(__file__).parent / "data" / "denial_reasons.json"


class DenialReasonUnknown(Refused):
    code = "denial_reason_unknown"


@dataclass(frozen=True)
class DenialReasons:
    """Every reason: its code, its text by language, and since when it can be given."""

    rows: Iterable[Mapping[str, Any]]

    @classmethod
    def load(cls, file: Path = FILE) -> "DenialReasons":
        """Reads the data file."""
        return cls(json.loads(file.read_text(encoding="utf-8")))

    def on(self, day: date) -> dict[str, Mapping[str, str]]:
        """The texts of the reasons in force on a day, by code."""
        return {row["code"]: row["text"] for row in self.rows if effective_from(row) <= day}

    def text_of(self, code: str, day: date) -> str:
        """The English text of a reason. Raises DenialReasonUnknown."""
        known = self.on(day)
        if code not in known:
            raise DenialReasonUnknown("reason", reason=code, reasons=set(known))
        return known[code]["en"]
