"""The offices that issue and seal certificates, as the service certificates knows them."""

import json
from pathlib import Path

FILE = Path(__file__).parents[1] / "services" / "certificates" / "data" / "offices.json"


def issuing_offices() -> tuple[str, ...]:
    """The codes of the offices."""
    return tuple(row["code"] for row in json.loads(FILE.read_text(encoding="utf-8")))
