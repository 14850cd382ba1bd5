"""The region on one machine: its layout, behaviour files, documents and the audit of both sides."""

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cli.commands.asean import BEHAVIOUR, CUSTOMS
from cli.region_matrix import age_of, as_html, as_table, cell_of
from deploy.region.behaviour import Behaviour, read_behaviour
from deploy.region.documents import REFUSED_HS, documents_between
from deploy.region.ledger import Lane, RegionState, is_allowed
from deploy.region.stack import Region, exchanging_members

TODAY = date(2026, 11, 27)
MEMBERS = ("KH", "VN", "TH")


def test_ten_members_exchange_today() -> None:
    assert len(exchanging_members(TODAY)) == 10
    assert "TL" not in exchanging_members(TODAY)
    assert exchanging_members(date(2019, 1, 1)) == ()


def test_every_gateway_has_every_other_one_as_a_partner(tmp_path: Path) -> None:
    region = Region(tmp_path, members=MEMBERS)
    rows = {country: [row["country"] for row in region.partners_of(country)["partners"]] for country in MEMBERS}
    assert rows == {"KH": ["VN", "TH"], "VN": ["KH", "TH"], "TH": ["KH", "VN"]}
    assert len(set(region.ports.values())) == len(region.ports)
    assert len(set(region.database_files.values())) == 3


def test_two_members_speak_the_newest_version_of_both(tmp_path: Path) -> None:
    file = tmp_path / "behaviour.json"
    file.write_text(json.dumps({"TH": {"version": 1}}))
    region = Region(tmp_path, members=MEMBERS, behaviour=file)
    spoken = {
        (country, row["country"]): row["versions"][0]["version"]  # type: ignore[index]
        for country in MEMBERS
        for row in region.partners_of(country)["partners"]
    }
    assert {pair for pair, version in spoken.items() if version == 1} == {
        ("KH", "TH"),
        ("TH", "KH"),
        ("VN", "TH"),
        ("TH", "VN"),
    }


def test_a_gateway_with_a_wrong_clock_runs_with_that_clock(tmp_path: Path) -> None:
    file = tmp_path / "behaviour.json"
    file.write_text(json.dumps({"TH": {"clock": -60}}))
    region = Region(tmp_path, members=MEMBERS, behaviour=file)
    assert region.command("gateway", "TH")[1:] == ("-m", "deploy.region.wrong_clock", "-60.0", "services.gateway")
    assert region.command("gateway", "VN")[1:] == ("-m", "services.gateway")


def test_the_example_of_a_behaviour_is_valid() -> None:
    found = read_behaviour(BEHAVIOUR, exchanging_members(TODAY))
    assert found["LA"].version == 1
    assert found["TH"].is_out(30)
    assert not found["TH"].is_out(70)
    assert (found["VN"].clock, found["BN"].clock) == (900, -900)
    assert found["SG"] == found["PH"], "the row * is for all others"
    assert json.loads(CUSTOMS.read_text())[0]["hs_prefix"] == "2402"


@pytest.mark.parametrize(
    "row", [{"duplicates": 1.5}, {"out": [[5, 5]]}, {"latency": [2, 1]}, {"version": 3}, {"mood": "bad"}, {"silence": -1}]
)
def test_a_malformed_behaviour_is_refused(tmp_path: Path, row: dict[str, Any]) -> None:
    file = tmp_path / "behaviour.json"
    file.write_text(json.dumps({"KH": row}))
    with pytest.raises(ValueError, match="KH"):
        read_behaviour(file, MEMBERS)


def test_a_late_message_is_at_most_three_seconds_late() -> None:
    random, late = Random(1), Behaviour(disorder=1.0, latency=(0.1, 0.2))
    delays = [late.delay(random) for _ in range(200)]
    assert 0.3 <= min(delays) <= max(delays) <= 3.2


def test_documents_at_random_are_the_same_for_the_same_seed() -> None:
    documents = documents_between(MEMBERS, 300, 7, TODAY)
    assert documents == documents_between(MEMBERS, 300, 7, TODAY)
    assert len({each.reference for each in documents}) == 300
    assert all(each.issuing_country != each.destination for each in documents)
    refused = sum(each.items[0].hs_code == REFUSED_HS for each in documents)
    assert 10 < refused < 60


def a_database(file: Path, sent: list[tuple[str, str, str]], received: list[tuple[str, str, bool, list[str], bool]]) -> Path:
    """Of a gateway. `sent`: receiver, reference, codes. `received`: sender, reference, decided, reasons, returned."""
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE transmissions (transmission_id, destination, reference, number, began_at)")
        database.execute("CREATE TABLE steps (transmission_id, position, code)")
        database.execute("CREATE TABLE inbound_documents (sender, reference, number, decided_at, reasons, returned_at)")
        for receiver, reference, codes in sent:
            row = (reference, receiver, reference, 1, "2026-11-27T08:00:00.000000Z")
            database.execute("INSERT INTO transmissions VALUES (?, ?, ?, ?, ?)", row)
            for position, code in enumerate(codes.split(), start=1):
                database.execute("INSERT INTO steps VALUES (?, ?, ?)", (reference, position, code))
        for sender, reference, decided, reasons, returned in received:
            values = (sender, reference, 1, "at" if decided else None, json.dumps(reasons), "at" if returned else None)
            database.execute("INSERT INTO inbound_documents VALUES (?, ?, ?, ?, ?, ?)", values)
    database.close()
    return file


def a_state(tmp_path: Path, codes: str, received: tuple[bool, list[str], bool] | None) -> RegionState:
    """One document from KH to VN, as both sides know it."""
    kh = a_database(tmp_path / "kh.db", [("VN", "D2026-KH-000001", codes)], [])
    vn = a_database(tmp_path / "vn.db", [], [("KH", "D2026-KH-000001", *received)] if received else [])
    return RegionState.read({"KH": kh, "VN": vn})


@pytest.mark.parametrize(
    ("codes", "received"),
    [
        ("AS1", None),
        ("AS1", (False, [], False)),
        ("AS1 AS2", (True, [], False)),
        ("AS1 AS2 REC", (True, [], True)),
        ("AS1 AS2 REC UTL", (True, [], True)),
        ("AS1 AS2 NOT", (True, ["no"], True)),
        ("AS1 NOT", None),
    ],
)
def test_both_sides_agree(tmp_path: Path, codes: str, received: tuple[bool, list[str], bool] | None) -> None:
    state = a_state(tmp_path, codes, received)
    assert state.disagreements() == []
    assert state.counts() == {codes.split()[-1]: 1}


@pytest.mark.parametrize(
    ("codes", "received", "problem"),
    [
        ("AS1 AS2 REC", None, "the sender has REC, the receiver has nothing"),
        ("AS1 AS2 REC", (True, ["no"], True), "the sender has REC, the receiver has NOT"),
        ("AS1 AS2 NOT", (True, [], True), "the sender has NOT, the receiver has REC"),
        ("AS1 AS2", None, "the sender has AS2, the receiver has nothing"),
        ("AS1 AS2", (True, [], True), "the receiver has returned REC, the sender has AS2"),
        ("AS1 REC AS2", (True, [], True), "codes AS1 REC AS2"),
    ],
)
def test_a_disagreement_is_found(
    tmp_path: Path, codes: str, received: tuple[bool, list[str], bool] | None, problem: str
) -> None:
    assert problem in a_state(tmp_path, codes, received).disagreements()[0]


def test_a_document_that_nobody_sent_is_found(tmp_path: Path) -> None:
    kh = a_database(tmp_path / "kh.db", [], [])
    vn = a_database(tmp_path / "vn.db", [], [("KH", "D2026-KH-000009", True, [], True)])
    assert RegionState.read({"KH": kh, "VN": vn}).disagreements() == ["D2026-KH-000009: VN has a document that KH did not send"]


def test_codes_follow_each_other() -> None:
    assert is_allowed(("AS1", "AS2", "REC", "DEN", "UTL"))
    assert not is_allowed(("AS1", "AS2", "AS1"))


def test_the_matrix_shows_what_waits_and_since_when(tmp_path: Path) -> None:
    state, now = a_state(tmp_path, "AS1", None), datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
    assert cell_of(state.lanes()["KH", "VN"], now) == "1 / 0 / 0 / 0 (1 h)"
    assert cell_of(None, now) == "·"
    assert as_table(state, ("KH", "VN"), now).row_count == 2
    html = as_html(state, ("KH", "VN"), now)
    assert "1 / 0 / 0 / 0 (1 h)" in html
    assert "AS1 1. Both sides agree on all." in html
    assert state.as_json()["counts"] == {"AS1": 1}


@pytest.mark.parametrize(
    ("waits", "text"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=61), "1 h"),
        (timedelta(days=12), "12 d"),
    ],
)
def test_an_age_has_one_unit(waits: timedelta, text: str) -> None:
    assert age_of(waits) == text


def test_a_lane_without_documents_that_wait_has_no_age() -> None:
    lane = Lane()
    lane.codes["UTL"] += 2
    assert cell_of(lane, datetime.now(UTC)) == "0 / 0 / 2 / 0"
