"""The offices in the data of each service that needs them."""

import json
from pathlib import Path

SERVICES = Path(__file__).parents[2] / "services"


def offices_of(service: str) -> dict[str, bool]:
    rows = json.loads((SERVICES / service / "data" / "offices.json").read_text())
    rows = rows[-1].get("offices", rows)
    return {row["code"]: row["headquarters"] for row in rows}


def test_every_service_knows_the_same_offices_and_headquarters() -> None:
    known = offices_of("registry")
    assert any(known.values())
    for service in ("certificates", "gateway", "portal"):
        assert offices_of(service) == known, service
