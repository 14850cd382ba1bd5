"""The nomenclature: editions that are loaded in parts, codes that are checked, and the search."""

import csv
import re
from datetime import date, timedelta
from itertools import product as combinations
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.commands.nomenclature import parts_of
from cli.nomenclature_file import read_lines
from services.certificates.domain.nomenclature import (
    HsCodeUnknown,
    HsCodeUnlikeAny,
    Line,
    Nomenclature,
    NomenclatureAltered,
    NomenclatureLineAlone,
    must_be_whole,
    sha256_of,
)
from shared.contracts.certificates.issuing import DraftCertificate, SubmitCertificate
from shared.contracts.certificates.nomenclature import (
    LoadNomenclature,
    NomenclatureLine,
    SearchNomenclature,
    ShowNomenclature,
)
from shared.contracts.certificates.products import RegisterProduct
from shared.workers.requests import MAX_REQUEST
from tests.certificates.test_handlers import Trader
from tests.support.service_under_test import ServiceUnderTest, a_person

FILE = Path(__file__).with_name("nomenclature.csv")
LINES = [Line(each.code, each.description) for each in read_lines(FILE)]
EDITION = Nomenclature("HS 2022", LINES)
SINCE = date(2022, 1, 1)


def codes(lines: list[Line]) -> list[str]:
    return [line.code for line in lines]


async def load(service: ServiceUnderTest, **changes: Any) -> Any:
    """Loads the edition of the tests; the answer to the last part."""
    name, since = changes.get("name", "HS 2022"), changes.get("valid_from", SINCE)
    lines = [line for line in read_lines(FILE) if line.code not in changes.get("without", ())]
    for part in parts_of(lines, name, since):
        answer = await service.ask(part)
    return answer


async def load_half(service: ServiceUnderTest) -> None:
    whole = parts_of(read_lines(FILE), "HS 2022", SINCE)[0]
    answer = await service.ask(whole.model_copy(update={"lines": whole.lines[:10], "command_id": uuid4()}))
    assert (answer.received, answer.complete) == (10, False)


@pytest.mark.parametrize("code", ["640399", "64039910", "6403991055", "64039999999"])
def test_a_code_is_known_by_its_first_six_digits(code: str) -> None:
    assert EDITION.knows(code)


@pytest.mark.parametrize("code", ["64", "6403", "640398", "64039810", "000000", ""])
def test_a_code_that_begins_with_no_subheading_is_unknown(code: str) -> None:
    assert not EDITION.knows(code)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("640398", ["640399", "640391"]),
        ("460399", ["640399"]),
        ("64039810", ["640399", "640391"]),
        ("100631", ["100630", "100640", "100620"]),
        ("871299", ["871200"]),
    ],
)
def test_the_codes_that_were_probably_meant_are_named(typed: str, meant: list[str]) -> None:
    assert codes(EDITION.nearest(typed))[: len(meant)] == meant


def test_a_refusal_names_every_field_and_the_codes_that_were_probably_meant() -> None:
    with pytest.raises(HsCodeUnknown) as refused:
        EDITION.must_know([("items.0.hs_code", "610910"), ("items.1.hs_code", "640398"), ("items.2.hs_code", "999999")])

    assert refused.value.fields == ("items.1.hs_code", "items.2.hs_code")
    assert re.search(r"Did you mean 640399 \(Footwear; n.e.c. .*…\); 640391 \(", str(refused.value))


def test_a_code_without_a_neighbour_has_a_sentence_of_its_own() -> None:
    with pytest.raises(HsCodeUnlikeAny, match="search the goods by words"):
        EDITION.must_know([("hs_code", "999999")])


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("6403", ["64039910", "640391", "640399", "6403"]),
        ("6403.99", ["64039910", "640399"]),
        ("footwear leather", ["64039910", "640391", "640399", "6403"]),
        ("LEATH foot ank", ["64039910", "640391", "640399"]),
        ("shirts cotton boys", ["620520"]),
        ("knitted vest cotton", ["610910", "610990"]),
        ("paddy", ["100610"]),
        ("bowling", ["64039910"]),
        ("8712003055", ["871200"]),
        ("rice tractor", []),
        ("999", []),
        (";;;", []),
    ],
)
def test_lines_are_found_by_code_and_by_the_beginning_of_every_word(typed: str, found: list[str]) -> None:
    assert codes(EDITION.search(typed, 20)) == found


def test_a_search_returns_at_most_what_is_wanted() -> None:
    assert codes(EDITION.search("6", 2)) == ["64039910", "610910"]


@given(text=st.text(max_size=100))
def test_any_text_can_be_searched(text: str) -> None:
    assert len(EDITION.search(text, 5)) <= 5


@given(code=st.from_regex(r"[0-9]{6,11}", fullmatch=True))
def test_a_code_is_known_or_refused_with_its_field(code: str) -> None:
    if EDITION.knows(code):
        EDITION.must_know([("hs_code", code)])
    else:
        with pytest.raises(HsCodeUnknown) as refused:
            EDITION.must_know([("hs_code", code)])
        assert refused.value.fields == ("hs_code",)


def test_ten_thousand_lines_are_searched_in_less_than_fifty_milliseconds() -> None:
    """The slowest of the searches counts. `python -m tests.certificates.test_nomenclature FILE.csv` measures a file."""
    words = [f"{first}{second}" for first, second in combinations(("cotton", "steel", "rubber", "wood", "glass"), range(40))]
    lines = [Line(f"{chapter:02}", f"Chapter {words[chapter]}") for chapter in range(10, 98)]
    lines += [Line(f"{n:04}", f"Heading {words[n % 200]} and {words[n % 199]}") for n in range(1000, 2200)]
    lines += [Line(f"{n:06}", f"Goods; {words[n % 200]}, {words[n % 197]} or {words[n % 7]}") for n in range(100000, 108800)]
    assert len(lines) > 10_000

    assert slowest(Nomenclature("large", lines)) < 0.05


def slowest(nomenclature: Nomenclature) -> float:
    """The seconds of the slowest search of these, each the best of five."""

    def seconds(text: str) -> float:
        began = perf_counter()
        nomenclature.search(text, 21)
        return perf_counter() - began

    texts = ("o", "other cotton", "g or", "1", "64", "c s w", "footwear uppers leather", "zzz")
    return max(min(seconds(text) for _ in range(5)) for text in texts)


def test_an_edition_that_differs_from_its_file_is_refused() -> None:
    with pytest.raises(NomenclatureAltered):
        must_be_whole(LINES[:-1], sha256_of(LINES))


def test_a_line_without_the_line_above_it_is_refused() -> None:
    lines = [line for line in LINES if line.code != "6403"]
    with pytest.raises(NomenclatureLineAlone, match="640391 stands alone: the line 6403"):
        must_be_whole(lines, sha256_of(lines))


def test_the_parts_of_an_edition_fit_into_messages_of_the_bus() -> None:
    lines = [NomenclatureLine(code=f"{number:08}", description="ក" * 500) for number in range(2000)]

    parts = parts_of(lines, "HS 2022", SINCE)

    assert [line for part in parts for line in part.lines] == lines
    assert max(len(part.model_dump_json().encode()) for part in parts) < MAX_REQUEST


async def test_an_edition_is_loaded_once(service: ServiceUnderTest) -> None:
    first, again = await load(service), await load(service)

    assert (first.complete, first.unchanged, first.received) == (True, False, len(LINES))
    assert (again.complete, again.unchanged, again.edition_id) == (True, True, first.edition_id)
    shown = await service.ask(ShowNomenclature())
    assert [(each.name, each.size, each.in_force) for each in shown.editions] == [("HS 2022", len(LINES), True)]


async def test_an_edition_whose_load_broke_off_is_not_in_force_and_can_be_completed(
    service: ServiceUnderTest,
) -> None:
    await load_half(service)
    assert (await service.ask(ShowNomenclature(search="rice"))).found.edition is None

    assert (await load(service)).complete
    assert (await service.ask(ShowNomenclature(search="paddy"))).found.lines[0].code == "100610"


async def test_what_an_earlier_attempt_has_left_is_deleted(service: ServiceUnderTest) -> None:
    await load_half(service)

    await load(service, without=("64039910",))

    shown = await service.ask(ShowNomenclature(search="6"))
    assert [each.size for each in shown.editions] == [len(LINES) - 1]


async def test_a_corrected_edition_of_the_same_day_replaces_the_former_one(service: ServiceUnderTest) -> None:
    await load(service)
    service.clock.instant += timedelta(minutes=1)

    await load(service, without=("64039910",))

    shown = await service.ask(ShowNomenclature(search="bowling"))
    assert [(each.size, each.in_force) for each in shown.editions] == [(len(LINES) - 1, True), (len(LINES), False)]
    assert shown.found.lines == ()


async def test_an_edition_is_used_from_its_day_on(service: ServiceUnderTest) -> None:
    await load(service)
    await load(service, name="HS 2028", valid_from=date(2026, 11, 24), without=("64039910",))
    assert (await service.ask(ShowNomenclature(search="bowling"))).found.edition == "HS 2022"

    service.clock.instant = service.clock.instant.replace(day=24)

    assert (await service.ask(ShowNomenclature(search="bowling"))).found.edition == "HS 2028"


async def test_a_part_with_other_lines_than_the_file_is_refused_and_changes_nothing(service: ServiceUnderTest) -> None:
    part = parts_of(read_lines(FILE), "HS 2022", SINCE)[0]
    refusal = await service.ask(LoadNomenclature(**part.model_dump() | {"sha256": "0" * 64}))

    assert refusal.code == "nomenclature_altered"
    assert (await service.ask(ShowNomenclature())).editions == ()


async def test_people_search_the_edition_in_force(service: ServiceUnderTest) -> None:
    person = a_person("preparer", organisation=uuid4())
    assert (await service.ask(SearchNomenclature(search="rice"), person)).edition is None
    await load(service)

    found = await service.ask(SearchNomenclature(search="bowling"), person)

    assert found.edition == "HS 2022"
    assert found.lines[0].code == "64039910"
    assert found.lines[0].within[0] == "Footwear; gaiters and the like; parts of such articles"
    assert not found.more


def registration(trader: Trader, hs_code: str) -> RegisterProduct:
    criterion = {"kind": "WO"}
    values = {"product_id": uuid4(), "exporter_id": trader.exporter_id, "description": "Shoes", "criterion": criterion}
    return RegisterProduct(**values, hs_code=hs_code)


async def test_any_code_is_accepted_while_no_edition_is_loaded(service: ServiceUnderTest, trader: Trader) -> None:
    assert (await service.ask(registration(trader, "640398"), trader.person)).hs_code == "640398"


async def test_a_product_with_an_unknown_code_is_refused(service: ServiceUnderTest, trader: Trader) -> None:
    await load(service)

    refusal = await service.ask(registration(trader, "6403980099"), trader.person)

    assert (refusal.code, refusal.fields) == ("hs_code_unknown", ("hs_code",))
    assert "640399" in refusal.detail
    assert (await service.ask(registration(trader, "6403990099"), trader.person)).status == "registered"


async def test_unknown_codes_are_refused_at_every_item_of_a_submission(service: ServiceUnderTest, trader: Trader) -> None:
    await load(service)
    good = trader.a_draft()
    item = good.consignment.items[0]
    wrong = [item, item.model_copy(update={"hs_code": "610911"}), item.model_copy(update={"hs_code": "640398"})]
    consignment = good.consignment.model_copy(update={"items": tuple(wrong)})
    body = good.model_copy(update={"consignment": consignment})

    await service.ask(DraftCertificate(**body.model_dump()), trader.person)
    refusal = await service.ask(SubmitCertificate(certificate_id=good.certificate_id), trader.person)

    assert {each.code for each in refusal.each} == {"hs_code_unknown"}
    assert refusal.fields == ("consignment.items.1.hs_code", "consignment.items.2.hs_code")
    good = trader.a_draft()
    assert (await service.ask(good, trader.person)).status == "draft"


async def test_codes_are_checked_with_the_edition_of_the_day_of_submission(service: ServiceUnderTest, trader: Trader) -> None:
    draft = trader.a_draft()
    await service.ask(draft, trader.person)
    await load(service, without=("610910",))

    refusal = await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), trader.person)

    assert (refusal.code, refusal.fields) == ("hs_code_unknown", ("consignment.items.0.hs_code",))


if __name__ == "__main__":
    import sys

    with open(sys.argv[1], newline="") as opened:
        rows = [Line(row["hscode"], row["description"]) for row in csv.DictReader(opened) if row["hscode"].isdigit()]
    rows += [Line(f"{row.code}{digits}", row.description) for digits in ("00", "90") for row in rows if len(row.code) == 6]
    began = perf_counter()
    large = Nomenclature(sys.argv[1], rows)
    print(f"{len(large):,} lines, index in {perf_counter() - began:.2f} s, slowest search {slowest(large) * 1000:.1f} ms")
