"""The public site: every page in both languages, light, without inline code, and as the OpenAPI document says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from pydantic import ValidationError

from services.tracking import openapi
from services.tracking.data_files import DataFiles, Guide
from services.tracking.informing import found_questions
from services.tracking.settings import TrackingSettings, tools
from shared.settings import SettingsWrong

from .conftest import A_JOURNEY, REFERENCE, Tracking, a_partner, a_step, an_issued_certificate

DATA = DataFiles()
PAGES = (
    *("/", "/codes", "/status", "/partners", "/notices", "/help", "/contact"),
    f"/certificates/{REFERENCE}",
    "/certificates/nothing",
)
KHMER = re.compile("[\u1780-\u17ff]")


@pytest.fixture
async def site(tracking: Tracking) -> Tracking:
    await tracking.receive(*A_JOURNEY, a_partner("VN", "down", 1))
    return tracking


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_is_light_and_has_no_inline_code_and_no_strangers(site: Tracking, address: str) -> None:
    for language in ("en", "km"):
        answer = await site.see(address, language)
        assert answer.status_code == (404 if "nothing" in address else 200) or answer.status_code == 400
        assert f'<html lang="{language}">' in answer.text
        assert len(answer.content) < 100_000
        assert not re.search(r"<style|<iframe|\son\w+=|\sstyle=|javascript:|<script(?![^>]*\ssrc=)", answer.text)
        assert not re.search(r'(src|href)="(?!/|#|mailto:|tel:)', answer.text)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert answer.headers["content-language"] == language
        assert answer.text.count("<h1") == 1
        assert 'class="skip"' in answer.text


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_in_khmer_has_no_english_sentence(site: Tracking, address: str) -> None:
    page = (await site.see(address, "km")).text
    text = re.sub(r"<[^>]+>", "\n", page.split("<main")[1].split("</main>")[0])
    english = [line for line in text.splitlines() if re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", line)]
    assert english == []
    assert KHMER.search(text)


async def test_the_files_of_a_page_are_served_with_the_integrity_that_it_names(site: Tracking) -> None:
    page = (await site.see(f"/certificates/{REFERENCE}")).text
    files = re.findall(r'(?:src|href)="(/static/[^"]+)" integrity="(sha384-[^"]+)"', page)
    assert len(files) == 2
    for address, _ in files:
        answer = await site.public.get(address)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)


async def test_the_choice_of_the_language_is_kept(site: Tracking) -> None:
    answer = await site.public.post("/language", data={"language": "km", "back": "/codes"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/codes")
    assert '<html lang="km">' in (await site.see("/codes")).text


async def test_the_page_of_a_certificate_shows_the_newest_step_first_and_whom_to_call(site: Tracking) -> None:
    page = (await site.see(f"/certificates/{REFERENCE}")).text
    assert page.index('class="code">REC') < page.index('class="code">AS2') < page.index('class="code">AS1')
    assert "<strong>The importer can claim the preference" in page
    assert "Customs of Viet Nam" in page
    assert f'href="/certificates/{REFERENCE}"' in page
    assert f'data-events="/certificates/{REFERENCE}/events?after=1-REC"' in page


async def test_the_office_to_call_is_that_of_the_reference(site: Tracking) -> None:
    await site.receive(a_step("NOT", 9))
    contact = (await site.json()).json()["contact"]
    assert (contact["kind"], contact["code"], contact["telephone"]) == ("office", "PNH", None)
    assert "No telephone number" in (await site.see(f"/certificates/{REFERENCE}")).text


async def test_the_home_page_names_partners_that_do_not_answer(site: Tracking) -> None:
    page = (await site.see("/")).text
    assert "Viet Nam" in page.split('id="partners"')[1]
    assert 'action="/help"' in page


def every_schema() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in openapi.document()["paths"].items():
        for status, answer in (each for method in item.values() for each in method["responses"].items()):
            if schema := answer["content"].get("application/json"):
                yield f"{path} {status}", schema["schema"]


@pytest.mark.parametrize(
    "address",
    [
        f"/public-search/atiga?reference={REFERENCE}",
        "/public-search/atiga?reference=no",
        "/public-search/atiga?reference=X2099-QQ-000001",
        f"/certificates/{REFERENCE}",
        "/certificates/D2026-PNH-999999",
        "/status",
        "/partners",
        "/notices?token=a.b.c",
        "/notices?number=KH-N-2026-000001",
        "/codes",
    ],
)
async def test_an_answer_is_as_the_openapi_document_says(site: Tracking, address: str) -> None:
    document = (await site.public.get("/openapi.json")).json()
    answer = await site.public.get(address, headers={"accept": "application/json"})
    path = address.partition("?")[0]
    item = document["paths"].get(path) or document["paths"]["/certificates/{reference}"]
    schema = item["get"]["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    (model,) = (each for each in openapi.ANSWERS if schema["$ref"].endswith(f"/{each.__name__}"))
    assert model.model_validate_json(answer.text).model_dump_json() == answer.text
    assert set(answer.json()) == set(document["components"]["schemas"][model.__name__]["properties"])


def test_the_openapi_document_describes_every_public_json_and_all_its_definitions_are_used() -> None:
    document = openapi.document()
    assert document["openapi"] == "3.1.0"
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text
    assert {schema["$ref"] for _, schema in every_schema()} >= {"#/components/schemas/Problem"}
    operations = [method["operationId"] for item in document["paths"].values() for method in item.values()]
    assert len(set(operations)) == len(operations) == 11


async def test_questions_are_found_by_their_words_without_a_script(site: Tracking) -> None:
    everything, found = (await site.see("/help")).text, (await site.see("/help?q=paper+IMPORTER")).text
    assert everything.count("<details") == len(DATA.help.questions) >= 30
    assert re.findall(r'<details id="([a-z-]+)" open', found) == ["paper"]
    assert "ទម្រង់ D អេឡិចត្រូនិក" in (await site.see("/help?q=ក្រដាស", "km")).text
    nothing = await site.see("/help?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "No question contains these words" in nothing.text
    assert "<script>alert" not in nothing.text
    assert (await site.see("/help?q=" + "x" * 20_000)).status_code == 200


GUIDES = DATA.guides


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.id)
@pytest.mark.parametrize("language", ["en", "km"])
async def test_a_guide_has_a_video_with_captions_and_a_picture_of_each_step(
    site: Tracking, guide: Guide, language: str
) -> None:
    page = html.document_fromstring((await site.see(f"/help/{guide.id}", language)).text)

    (video,) = page.xpath("//video")
    assert video.xpath(".//track/@srclang") == [language]
    assert [getattr(step, language) for step in guide.steps] == [
        text.strip() for text in page.xpath("//ol[@class='guide']//p/text()")
    ]
    files = page.xpath("//video//source/@src | //video//track/@src | //ol[@class='guide']//img/@src | //video/@poster")
    assert len(files) == 3 + len(guide.steps)
    for address in files:
        answer = await site.public.get(address)
        assert answer.status_code == 200
        assert len(answer.content) < 600_000
    beginning = await site.public.get(video.xpath(".//source/@src")[0], headers={"range": "bytes=0-3"})
    assert (beginning.status_code, beginning.content) == (206, b"\x1aE\xdf\xa3")


async def test_an_unknown_guide_leads_to_all_guides(site: Tracking) -> None:
    answer = await site.see("/help/nothing")
    assert answer.status_code == 404
    assert all(guide.title.en in answer.text for guide in GUIDES)


def test_every_question_has_a_known_topic_and_both_languages() -> None:
    for each in DATA.help.questions:
        assert each.topic in DATA.help.topics
        for words in (each.question, each.answer):
            assert words.en.strip()
            assert KHMER.search(words.km)
    assert len({each.id for each in DATA.help.questions}) == len(DATA.help.questions)
    assert len(found_questions(DATA.help.questions, "")) == len(DATA.help.questions)


async def test_a_mistyped_reference_names_its_unusual_part_and_no_other_reference(site: Tracking) -> None:
    answer = await site.json("X2099-QQ-000001")
    assert [part["part"] for part in answer.json()["unusual"]] == ["form", "year", "office"]
    page = (await site.page("D2026-PNX-000123")).text
    assert "There is no issuing office “PNX”" in page
    assert "គ្មានការិយាល័យចេញ" in (await site.page("D2026-PNX-000123", "km")).text
    near = (await site.json("D2026-PNH-000124")).json()
    assert (near["unusual"], near["example"]) == ([], REFERENCE)  # the example is the same for everyone


HOSTILE = (
    *("%00", "%FF%FE", "%F0%9F%92%A9", "..%2f..%2fetc", "%27%3B--", "{{7*7}}", "%u0000", "%E1%9E%80", "1-AS2%0d%0aX:1"),
    "a" * 3000,
)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: value[:12])
async def test_hostile_values_cause_no_error_of_the_server(site: Tracking, value: str) -> None:
    site.limits._buckets.clear()
    for address in (
        f"/public-search/atiga?reference={value}&format={value}",
        f"/certificates/{value}",
        f"/certificates/{value}/events?after={value}",
        f"/help?q={value}",
        f"/status?format={value}",
    ):
        answer = await site.see(address, language=value if value.isascii() and "%" not in value else "xx")
        assert answer.status_code < 500, address
        assert "x" not in answer.headers
    assert (await site.public.post("/language", data={"language": value, "back": value})).status_code == 303


async def test_a_certificate_is_not_indexed_and_the_home_page_is(site: Tracking) -> None:
    assert "noindex" in (await site.page()).text
    assert "noindex" not in (await site.see("/")).text


def settings_with(folder: Path, **changes: Any) -> TrackingSettings:
    seed = folder / "seed"
    seed.write_text("x")
    return TrackingSettings(database_url="sqlite:///x", nats_seed_file=seed, event_keys_file=seed, **changes)


def test_an_operator_replaces_the_contacts_and_a_wrong_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "contacts.json"
    words = {"en": "An office", "km": "ការិយាល័យ"}
    file.write_text(json.dumps({"about": "ours", "offices": [{"code": "KEP", "name": words, "telephone": "+855 00 000 000"}]}))
    (data, *_) = tools(settings_with(tmp_path, contacts_file=file))
    assert isinstance(data, DataFiles)
    assert data.offices["KEP"].telephone == "+855 00 000 000"
    file.write_text('{"offices": [{"code": "kep"}]}')
    with pytest.raises(SettingsWrong, match="CO_CONTACTS_FILE"):
        list(tools(settings_with(tmp_path, contacts_file=file)))


@pytest.mark.parametrize("url", ["javascript:alert(1)", 'https://t.me/x" onclick="', "t.me/x"])
def test_a_link_that_is_no_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValidationError):
        settings_with(tmp_path, telegram_url=url)


async def test_a_certificate_that_was_just_issued_says_so(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate())
    shown = (await tracking.json()).json()
    assert (shown["transmissions"], shown["contact"]["kind"]) == ([], "office")
    assert "has not reached our gateway yet" in shown["next_step"]["en"]


async def test_a_certificate_on_paper_tells_that_it_is_not_exchanged(tracking: Tracking) -> None:
    reference = "N2026-PNH-000007"
    await tracking.receive(an_issued_certificate(reference=reference, form="N", destination="US"))

    shown = (await tracking.json(reference)).json()

    assert "It is not exchanged electronically" in shown["next_step"]["en"]
    assert "United States" in (await tracking.page(reference)).text
