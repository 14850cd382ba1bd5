"""The exchange with members: works, slow or out, what waits, and how long documents take."""

import json
from datetime import date, timedelta

import pytest
from opentelemetry.trace import INVALID_SPAN

from services.tracking import exchange
from services.tracking.answers import ExchangeState
from services.tracking.data_files import HERE, DataFiles, Exchange
from services.tracking.exchange import Queue, state_of
from services.tracking.figures import Figures
from services.tracking.store import TrackedPartner
from shared.contracts.gateway.transmissions import StatusCode

from .conftest import NOON, REFERENCE, Tracking, a_partner, a_step, an_issued_certificate, an_outage

DATA, HOUR = DataFiles(), timedelta(hours=1)
UP, DOWN = TrackedPartner("VN", "up", NOON, 1), TrackedPartner("VN", "down", NOON, 2)


@pytest.mark.parametrize(
    ("partner", "queue", "out", "state"),
    [
        (None, Queue(0, None), False, "unknown"),
        (UP, Queue(0, None), False, "works"),
        (UP, Queue(3, NOON), False, "works"),
        (UP, Queue(3, NOON - HOUR), False, "slow"),
        (None, Queue(1, NOON - HOUR), False, "slow"),
        (DOWN, Queue(0, None), False, "slow"),
        (DOWN, Queue(9, NOON - HOUR), True, "out"),
        (UP, Queue(0, None), True, "out"),
    ],
)
def test_the_state_of_the_exchange(partner: TrackedPartner | None, queue: Queue, out: bool, state: ExchangeState) -> None:
    at = NOON + timedelta(minutes=30)
    assert state_of(partner, queue, NOON - HOUR if out else None, DATA, at) == state


def test_each_state_has_a_name_and_a_next_step_in_both_languages() -> None:
    assert set(DATA.exchange.states) == {"works", "slow", "out", "unknown"}
    for words in DATA.exchange.states.values():
        assert words.name.en != words.name.km
        assert words.next.en != words.next.km


def test_the_ministry_can_change_when_the_exchange_is_slow() -> None:
    values = json.loads((HERE / "exchange.json").read_text())
    values["rules"].append({"effective_from": "2027-01-01", "slow_after_minutes": 5, "source": "test"})
    read = Exchange.model_validate(values)
    assert read.slow_after(date(2026, 12, 31)) == HOUR
    assert read.slow_after(date(2027, 1, 1)) == timedelta(minutes=5)


async def partners(tracking: Tracking) -> dict[str, dict[str, object]]:
    return {each["country"]: each for each in (await tracking.read("/partners"))["partners"]}


async def test_the_public_sees_since_when_a_member_is_out_and_what_waits_for_it(tracking: Tracking) -> None:
    second = {"reference": "D2026-PNH-000124", "occurred_at": NOON - HOUR}
    await tracking.receive(a_partner("VN", "down", 2), a_step("AS1", 1), a_step("AS1", 1, **second), an_outage("VN", 1))
    vn = (await partners(tracking))["VN"]
    assert (vn["exchange"], vn["out_since"], vn["waiting"]) == ("out", "2026-03-02T05:00:00Z", 2)
    assert vn["oldest"] == "2026-03-02T04:00:00Z"
    english, khmer = (await tracking.see("/partners")).text, (await tracking.see("/partners", "km")).text
    assert "Exchange with members" in english
    assert "sent by themselves when the member returns" in english
    assert "ដាច់ការតភ្ជាប់" in khmer


async def test_members_that_are_out_or_slow_come_first(tracking: Tracking) -> None:
    await tracking.receive(a_partner("BN", "up", 1), a_partner("TH", "down", 1), a_partner("VN", "down", 1), an_outage("VN", 1))
    shown = (await tracking.read("/partners"))["partners"]
    assert [each["country"] for each in shown[:4]] == ["VN", "TH", "BN", "ID"]


async def test_an_outage_that_has_ended_is_not_shown_and_events_may_come_in_any_order(tracking: Tracking) -> None:
    await tracking.receive(a_partner("VN", "up", 3), an_outage("VN", 2, NOON + HOUR), an_outage("VN", 1))
    vn = (await partners(tracking))["VN"]
    assert (vn["exchange"], vn["out_since"]) == ("works", None)


async def test_the_median_is_that_of_each_member_over_the_last_thirty_days(tracking: Tracking) -> None:
    old = NOON - timedelta(days=31)
    recent = [(seconds, NOON, "VN") for seconds in (10, 20, 30, 40, 500)]
    for serial, (seconds, at, country) in enumerate([*recent, (9, old, "VN"), (7, NOON, "TH")]):
        reference = f"D2026-PNH-{serial:06}"
        to = {"reference": reference, "destination": country}
        await tracking.receive(
            a_step("AS1", 1, **to, occurred_at=at - timedelta(seconds=seconds)),
            a_step("REC", 3, **to, occurred_at=at, country=country),
        )
    shown = await partners(tracking)
    assert shown["VN"]["median_seconds"] == 30
    assert shown["TH"]["median_seconds"] is None


async def test_the_median_reads_a_bounded_number_of_documents(tracking: Tracking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_TIMES", exchange._TIMES.limit(2))
    for serial in range(4):
        to = {"reference": f"D2026-PNH-{serial:06}", "country": "VN"}
        await tracking.receive(a_step("AS1", 1, **to), a_step("REC", 3, **to))
    async with tracking.context.reading(INVALID_SPAN) as work:
        assert (await exchange.medians(work, ["VN"]))["VN"].measured == 2


async def test_a_certificate_that_waits_for_a_member_that_is_out_says_so_and_what_to_do(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate(), a_step("AS1", 1), an_outage("VN", 1))
    for language, words, since in (
        ("en", "The gateway of Viet Nam is out since", "2 March 2026, 12:00:00"),
        ("km", "ច្រកទ្វារនៃវៀតណាម ដាច់ការតភ្ជាប់តាំងពី", "2026"),
    ):
        page = (await tracking.see(f"/certificates/{REFERENCE}", language)).text
        assert words in page
        assert since in page
    english = (await tracking.see(f"/certificates/{REFERENCE}")).text
    assert "The exporter can take a signed notice for the buyer" in english
    shown = (await tracking.json()).json()
    assert shown["outage"]["out_since"] == "2026-03-02T05:00:00Z"
    assert shown["next_step"] == DATA.exchange.waits.next.model_dump()


async def test_a_certificate_that_has_arrived_says_nothing_of_an_outage(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate(), a_step("AS1", 1), a_step("AS2", 2), an_outage("VN", 1))
    assert "is out since" not in (await tracking.see(f"/certificates/{REFERENCE}")).text
    shown = (await tracking.json()).json()
    assert shown["outage"] is None
    assert shown["status"] == StatusCode.AS2


async def test_a_page_that_was_rendered_before_an_outage_is_not_shown_during_it(tracking: Tracking) -> None:
    await tracking.receive(an_issued_certificate(), a_step("AS1", 1))
    assert "is out since" not in (await tracking.see(f"/certificates/{REFERENCE}")).text
    await tracking.receive(an_outage("VN", 1))
    tracking.context.use(Figures).outages._value = None
    assert "is out since" in (await tracking.see(f"/certificates/{REFERENCE}")).text
