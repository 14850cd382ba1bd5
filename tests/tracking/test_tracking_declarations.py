"""The public check of origin declarations: by code, day, signatory and goods."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.tracking.data_files import DataFiles
from shared.contracts.certificates.self_certification import CertifiedExporterChanged, digest_of_name
from shared.refusals import LANGUAGES
from tests.tracking.conftest import Tracking

CODE = "KH-CE-2026-0001"
DAY = {"since": date(2026, 1, 10), "until": None}
GOOD = {"declaration": CODE, "day": "2026-02-20", "signatory": "Sok Dara", "goods": "6109.10, 620520"}


def a_certified(**changes: Any) -> CertifiedExporterChanged:
    values: dict[str, Any] = {
        "exporter_id": UUID("00000000-0000-4000-8000-0000000000e1"),
        "code": CODE,
        "status": "granted",
        "valid_from": date(2026, 1, 10),
        "valid_until": date(2027, 1, 10),
        "signatories": [
            {"digest": digest_of_name(CODE, "Sok Dara"), **DAY},
            {"digest": digest_of_name(CODE, "Chan Vanna"), "since": date(2026, 1, 10), "until": date(2026, 2, 1)},
        ],
        "goods": [{"subheading": "610910", **DAY}, {"subheading": "620520", **DAY}],
        "version": 1,
        "occurred_at": datetime(2026, 1, 10, 4, 0, tzinfo=UTC),
    }
    return CertifiedExporterChanged(**values | changes)


async def check(tracking: Tracking, **changes: str) -> httpx.Response:
    return await tracking.public.get("/verify/declaration", params=GOOD | changes, headers={"accept": "application/json"})


@pytest.mark.parametrize(
    ("event", "typed", "verdict", "reason"),
    [
        ({}, {}, "valid", "valid"),
        ({}, {"declaration": " kh-ce-2026-0001 "}, "valid", "valid"),
        ({}, {"signatory": "SOK DARA", "goods": "61091000"}, "valid", "valid"),
        ({}, {"declaration": "KH-CE-2026-0002"}, "unknown", "unknown"),
        ({}, {"declaration": "whatever"}, "unknown", "unknown"),
        ({}, {"day": "2026-01-09"}, "expired", "too_early"),
        ({}, {"day": "2026-12-31"}, "unknown", "future"),
        ({"valid_until": date(2026, 2, 19)}, {}, "expired", "expired"),
        ({}, {"signatory": "Sok Darra"}, "not_this_signatory", "not_this_signatory"),
        ({}, {"signatory": "Chan Vanna"}, "not_this_signatory", "not_this_signatory"),
        ({}, {"signatory": "Chan Vanna", "day": "2026-01-31"}, "valid", "valid"),
        ({}, {"goods": "610910 640399"}, "not_this_product", "not_this_product"),
        ({"suspensions": [{"since": date(2026, 2, 20)}]}, {}, "suspended", "suspended"),
        ({"suspensions": [{"since": date(2026, 2, 21)}]}, {}, "valid", "valid"),
        ({"suspensions": [{"since": date(2026, 2, 1), "until": date(2026, 2, 20)}]}, {}, "valid", "valid"),
        ({"withdrawn_on": date(2026, 2, 20)}, {}, "suspended", "withdrawn"),
        ({"withdrawn_on": date(2026, 2, 21)}, {}, "valid", "valid"),
    ],
)
async def test_a_declaration_counts_by_its_own_day(
    tracking: Tracking, event: dict[str, Any], typed: dict[str, str], verdict: str, reason: str
) -> None:
    await tracking.receive(a_certified(**event))

    shown = (await check(tracking, **typed)).json()

    assert (shown["verdict"], shown["reason"]) == (verdict, reason)


async def test_an_older_event_changes_nothing(tracking: Tracking) -> None:
    await tracking.receive(a_certified(version=3), a_certified(version=2, goods=[]))

    assert (await check(tracking)).json()["verdict"] == "valid"


@pytest.mark.parametrize(
    "typed",
    [
        {"declaration": ""},
        {"day": "20.02.2026"},
        {"signatory": " "},
        {"goods": "shoes"},
        {"goods": "610910," * 21},
        {"goods": ""},
    ],
)
async def test_what_is_missing_is_refused_at_its_field(tracking: Tracking, typed: dict[str, str]) -> None:
    answer = await check(tracking, **typed)
    page = await tracking.public.get("/verify/declaration", params=GOOD | typed, headers={"accept": "text/html"})

    assert (answer.status_code, answer.json()["code"]) == (400, "declaration_incomplete")
    (field,) = typed
    assert page.status_code == 400
    assert f'id="{field}-problem"' in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_shows_the_outcome_in_both_languages_and_no_name(tracking: Tracking, language: str) -> None:
    await tracking.receive(a_certified())
    headers = {"accept": "text/html", "accept-language": language}

    empty = await tracking.public.get("/verify/declaration", headers=headers)
    page = await tracking.public.get("/verify/declaration", params=GOOD, headers=headers)

    assert empty.status_code == 200
    assert getattr(DataFiles().declarations["valid"].meaning, language) in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "Angkor" not in page.text
    assert "/verify/declaration" in (await tracking.see("/verify")).text


def test_each_outcome_has_texts() -> None:
    reasons = {"valid", "unknown", "suspended", "withdrawn", "expired", "too_early", "future"}
    assert set(DataFiles().declarations) == reasons | {"not_this_signatory", "not_this_product"}
