"""The public pages of a certificate: what they show and what they never show."""

import json
import re
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import update

from services.tracking.references import MAX_TYPED
from services.tracking.store import tracked_steps
from shared.contracts.gateway.transmissions import MAX_REASONS, StatusCode

from .conftest import A_JOURNEY, CERTIFICATE, REFERENCE, Tracking, a_step, an_issued_certificate

DATA = Path(__file__).parents[2] / "services/tracking/data"


async def test_a_certificate_is_shown_as_json_with_its_codes_times_and_meanings(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    answer = await tracking.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    shown = answer.json()
    codes = json.loads((DATA / "codes.json").read_text())
    assert shown["transmissions"] == [{"number": 1, "status": "REC", "steps": shown["steps"]}]
    assert shown["contact"]["name"] == {"en": "Customs of Viet Nam", "km": "គយនៃវៀតណាម"}
    assert {key: value for key, value in shown.items() if key not in ("steps", "transmissions", "contact")} == {
        "reference": REFERENCE,
        "form": "D",
        "destination": "VN",
        "issued_on": "2026-03-02",
        "valid_until": "2027-03-02",
        "codes": ["AS1", "AS2", "REC"],
        "status": "REC",
        "next_step": codes["REC"]["next"],
        "cancelled": None,
        "outage": None,
    }
    assert shown["steps"][2] == {
        "number": 1,
        "code": "REC",
        "at": "2026-03-02T05:03:07.123456Z",
        "country": "VN",
        "meaning": codes["REC"]["meaning"],
        "next": codes["REC"]["next"],
        "reasons": [],
    }


async def test_the_parameter_format_requests_json(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    answer = await tracking.public.get(
        f"/public-search/atiga?reference={REFERENCE}&format=json", headers={"accept": "text/html"}
    )
    assert answer.json()["status"] == "REC"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ("Received by customs", "Viet Nam (VN)", "Cambodia (KH)", "2 March 2026, 12:01:07", "The importer can claim")),
        ("km", ("គយបានទទួល", "វៀតណាម (VN)", "កម្ពុជា (KH)", "12:01:07", "អ្នកនាំចូលអាចស្នើសុំអនុគ្រោះពន្ធបាន")),
    ],
)
async def test_a_certificate_is_shown_as_a_page_in_english_and_khmer(
    tracking: Tracking, language: str, expected: tuple[str, ...]
) -> None:
    await tracking.receive(*A_JOURNEY)
    answer = await tracking.page(language=language)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for text in (REFERENCE, "2026-03-02T05:01:07.123456Z", *expected):
        assert text in answer.text


@pytest.mark.parametrize("year", [1, 9999])
async def test_a_step_stored_before_the_limits_existed_does_not_break_the_page(tracking: Tracking, year: int) -> None:
    await tracking.receive(*A_JOURNEY)
    at = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) if year > 1 else datetime(year, 1, 1, tzinfo=UTC)
    kept = {"at": at, "reasons": [f"reason_{number}" for number in range(20_000)]}
    async with tracking.database.writing() as transaction:
        await transaction.session.execute(update(tracked_steps).where(tracked_steps.c.code == "REC").values(kept))
    assert (await tracking.page()).status_code == 200
    answer = await tracking.json()
    assert answer.status_code == 200
    assert len(answer.json()["steps"][-1]["reasons"]) == MAX_REASONS


async def test_a_certificate_is_cached_for_seconds_only(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    assert (await tracking.page()).headers["cache-control"] == "public, max-age=5"
    assert (await tracking.page("D2026-PNH-999999")).headers["cache-control"] == "no-store"


async def test_a_certificate_that_was_just_issued_has_no_code_yet(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate())
    shown = (await tracking.json()).json()
    assert (shown["status"], shown["codes"], shown["steps"]) == (None, [], [])
    assert "has not reached our gateway yet" in (await tracking.page()).text


async def test_a_rejection_shows_its_reasons_as_sentences(tracking: Tracking) -> None:
    reasons = ("restricted_goods", "moon_phase_unsuitable")
    await tracking.receive(an_issued_certificate(), a_step("AS1", 1), a_step("NOT", 2, reasons=reasons))
    last = (await tracking.json()).json()["steps"][-1]
    assert last["reasons"][0]["code"] == "restricted_goods"
    assert last["reasons"][0]["en"] == "The goods are restricted in the importing country."
    assert last["reasons"][0]["km"] != last["reasons"][0]["en"]
    assert last["reasons"][1]["en"] == "Moon phase unsuitable."
    page = (await tracking.page()).text
    assert "The goods are restricted in the importing country." in page
    assert "Moon phase unsuitable." in page
    assert "Follow up at once" in page


async def test_codes_that_asean_does_not_define_are_marked_as_ours(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY, a_step("UTL", 4))
    timeline = (await tracking.page()).text.split('<ol class="timeline"')[1].split("</ol>")[0]
    assert re.search(r'UTL</span> Used <small class="quiet">\(a code of this system\)', timeline)
    assert timeline.count("a code of this system") == 1


async def test_a_second_transmission_is_shown_after_the_first(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate(), a_step("AS1", 1, number=2), a_step("AS1", 1), a_step("NOT", 2))
    shown = (await tracking.json()).json()
    assert [(step["number"], step["code"]) for step in shown["steps"]] == [(1, "AS1"), (1, "NOT"), (2, "AS1")]
    assert shown["status"] == "AS1"
    assert "Transmission 2" in (await tracking.page()).text


@pytest.mark.parametrize("order", list(permutations(range(4)))[1::5])
async def test_events_may_arrive_in_any_order(tracking: Tracking, order: tuple[int, ...]) -> None:
    for index in order:
        await tracking.receive(A_JOURNEY[index])
    assert (await tracking.json()).json()["codes"] == ["AS1", "AS2", "REC"]


async def test_steps_are_ordered_by_version_not_by_time(tracking: Tracking) -> None:
    early = datetime(2026, 3, 2, 4, 59, 59, tzinfo=UTC)
    await tracking.receive(an_issued_certificate(), a_step("AS1", 1), a_step("AS2", 2, occurred_at=early))
    assert (await tracking.json()).json()["codes"] == ["AS1", "AS2"]


async def test_repeated_events_change_nothing(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    before = (await tracking.json()).json()
    await tracking.receive(*A_JOURNEY, *reversed(A_JOURNEY))
    assert (await tracking.json()).json() == before


async def test_an_older_event_does_not_replace_a_newer_one(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate(version=8, destination="TH"), an_issued_certificate(version=7))
    assert (await tracking.json()).json()["destination"] == "TH"
    await tracking.receive(an_issued_certificate(version=9, destination="MY"))
    assert (await tracking.json()).json()["destination"] == "MY"


async def test_only_codes_times_and_countries_are_shown(tracking: Tracking) -> None:
    secret = {
        "exporter": "Angkor Garment Co.",
        "consignee": "Sai Gon Trading",
        "goods": "T-shirts",
        "fob": "9600.00",
        "detail": "licence",
    }
    events = [type(event).model_validate(event.model_dump(mode="json") | secret) for event in A_JOURNEY]
    await tracking.receive(*events)
    assert set((await tracking.json()).json()) == {
        "reference",
        "form",
        "destination",
        "issued_on",
        "valid_until",
        "codes",
        "status",
        "steps",
        "transmissions",
        "next_step",
        "contact",
        "cancelled",
        "outage",
    }
    for answer in (await tracking.page(), await tracking.json()):
        for value in (*secret.values(), str(CERTIFICATE), CERTIFICATE.hex):
            assert value not in answer.text


async def test_an_unknown_reference_is_not_found_and_the_page_helps(tracking: Tracking) -> None:
    answer = await tracking.page("D2026-PNH-999999")
    assert answer.status_code == 404
    for help_given in ("D2026-PNH-000123", "some seconds after it is issued", "ask the exporter", 'value="D2026-PNH-999999"'):
        assert help_given in answer.text
    as_json = await tracking.json("D2026-PNH-999999")
    assert (as_json.status_code, as_json.json()["code"]) == (404, "certificate_not_found")
    assert as_json.json()["unusual"] == []


async def test_a_step_without_its_certificate_is_not_shown_yet(tracking: Tracking) -> None:
    await tracking.receive(a_step("AS1", 1))
    assert (await tracking.json()).status_code == 404


@pytest.mark.parametrize(
    "wrong", ["no", "D2026-PNH-", "D2026", "'; DROP TABLE steps; --", "D2026-PNH-000123\x00", "D" * 5000, "១២៣"]
)
async def test_a_malformed_reference_is_refused(tracking: Tracking, wrong: str) -> None:
    page, as_json = await tracking.page(wrong), await tracking.json(wrong)
    assert (page.status_code, as_json.status_code) == (400, 400)
    assert "This is not a reference" in page.text
    assert as_json.json()["code"] == "reference_malformed"
    assert "D2026-PNH-000123" in as_json.json()["detail"]
    assert "D" * (MAX_TYPED + 1) not in page.text


async def test_typed_text_is_escaped_in_the_page(tracking: Tracking) -> None:
    page = (await tracking.page('"><script>alert(1)</script>')).text
    assert "<script>" not in page


async def test_without_a_reference_a_browser_gets_the_search_and_a_program_an_error(tracking: Tracking) -> None:
    people = await tracking.page("")
    assert (people.status_code, "Where is my certificate?" in people.text) == (200, True)
    assert (await tracking.json("")).status_code == 400


async def test_the_home_page_has_the_search_and_an_example_of_a_reference(tracking: Tracking) -> None:
    page = (await tracking.public.get("/")).text
    assert 'action="/public-search/atiga"' in page
    assert 'placeholder="D2026-PNH-000123"' in page
    assert '<label class="hidden-text" for="reference">' in page


def test_every_code_has_texts_in_both_languages() -> None:
    codes = json.loads((DATA / "codes.json").read_text())
    assert set(codes) == set(StatusCode)
    for words in codes.values():
        for part in ("name", "meaning", "next"):
            assert words[part]["en"]
            assert re.search("[\u1780-\u17ff]", words[part]["km"])
    assert [code for code, words in codes.items() if not words["ours"]] == ["AS1", "AS2", "REC", "NOT"]


def test_every_reason_and_country_has_a_text_in_both_languages() -> None:
    for name in ("reasons", "countries"):
        for words in json.loads((DATA / f"{name}.json").read_text()).values():
            assert words["en"]
            assert re.search("[\u1780-\u17ff]", words["km"])
