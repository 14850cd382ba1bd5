"""The offices and the forms in the data of each service that needs them."""

import json
from datetime import date
from pathlib import Path

from services.certificates.reference_data import ReferenceData

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


def test_the_public_site_knows_every_form_and_which_are_exchanged() -> None:
    data, today = ReferenceData.load(), date(2026, 11, 23)
    public = json.loads((SERVICES / "tracking" / "data" / "forms.json").read_text())

    assert set(public["forms"]) == {file.form for file in data.form_files}
    assert set(public["exchanged"]) == {form.name for form in data.forms_on(today) if form.channel}


def test_the_portal_knows_the_members_with_which_documents_are_exchanged() -> None:
    data, today = ReferenceData.load(), date(2026, 11, 23)
    rows = json.loads((SERVICES / "portal" / "data" / "countries.json").read_text())
    members = {member for form in data.forms_on(today) if form.channel for member in form.members}

    assert {row["code"] for row in rows if row["exchanges"]} == members - {"KH"}
