"""The service in figures: how long each step takes, for whom certificates wait, and the state of partners."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking import figures
from services.tracking.data_files import DataFiles
from services.tracking.figures import LEAST, Duration, Kept, percentile, step_figures
from shared.contracts.messages import Event

from .conftest import NOON, Tracking, a_partner, a_status, a_step, an_issued_certificate

DATA = DataFiles()
MINUTE = timedelta(minutes=1)


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60), st.integers(1, 100))
def test_a_percentile_is_a_value_that_its_share_does_not_exceed(values: list[int], percent: int) -> None:
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert sum(value <= found for value in ordered) * 100 >= percent * len(ordered)
    assert sum(value < found for value in ordered) * 100 < percent * len(ordered)


def test_the_figures_of_a_step_are_by_office_and_destination_and_hide_small_groups() -> None:
    measured = [Duration(second, "PNH", "VN") for second in range(1, 101)] + [Duration(9999, "SHV", "TH")] * (LEAST - 1)
    step = step_figures("submitted", "reviewed", measured, DATA)
    assert (step.all.certificates, step.all.median_seconds) == (104, 52)
    assert [(each.code, each.certificates, each.median_seconds, each.p95_seconds) for each in step.offices] == [
        ("PNH", 100, 50, 95),
        ("SHV", LEAST - 1, None, None),
    ]
    assert [each.name.en for each in step.destinations] == ["Viet Nam", "Thailand"]


def a_whole_life(number: int, minutes: int) -> list[Event]:
    """The events of one certificate; each step takes the same time."""
    certificate_id, reference = uuid4(), f"D2026-PNH-{number:06}"
    begin, step = NOON - timedelta(days=2), minutes * MINUTE
    of = {"certificate_id": certificate_id}
    statuses = ("submitted", "reviewed", "approved", "issued")
    codes = [
        a_step(code, n + 1, reference=reference, occurred_at=begin + step * (4 + n), **of)
        for n, code in enumerate(("AS1", "AS2", "REC"))
    ]
    changed = [a_status(status, n + 2, begin + step * n, **of) for n, status in enumerate(statuses)]
    return [an_issued_certificate(reference=reference, **of), *changed, *codes]


async def test_each_step_is_measured_from_submission_to_customs(tracking: Tracking) -> None:
    for number in range(1, LEAST + 1):
        await tracking.receive(*a_whole_life(number, minutes=number))
    shown = await tracking.read("/status")
    assert [(step["begins"], step["ends"]) for step in shown["steps"]] == [
        ("submitted", "reviewed"),
        ("reviewed", "approved"),
        ("approved", "issued"),
        ("issued", "AS1"),
        ("AS1", "AS2"),
        ("AS2", "REC"),
    ]
    for step in shown["steps"]:
        expected = {"certificates": 5, "median_seconds": 180, "p95_seconds": 300}
        assert step["all"] == expected, step
        assert step["offices"] == [{"code": "PNH", "name": DATA.office("PNH").model_dump(), **expected}]
        assert step["destinations"][0]["code"] == "VN"
    assert (shown["days"], shown["sample"], shown["measured_at"]) == (30, 5000, "2026-03-02T05:00:00Z")


async def test_old_certificates_and_steps_that_a_return_undid_are_not_measured(tracking: Tracking) -> None:
    for number in range(1, LEAST + 1):
        await tracking.receive(*a_whole_life(number, minutes=1))
    again = NOON - timedelta(hours=1)
    returned = uuid4()
    for version, (status, at) in enumerate(
        [("submitted", again), ("reviewed", again + MINUTE), ("returned", again + 2 * MINUTE), ("submitted", NOON)], start=1
    ):
        await tracking.receive(a_status(status, version, at, certificate_id=returned))
    shown = await tracking.read("/status")
    assert shown["steps"][0]["all"]["certificates"] == LEAST
    tracking.clock.instant = NOON + timedelta(days=40)
    tracking.context.use(figures.Figures).service._value = None
    later = await tracking.read("/status")
    assert [step["all"]["certificates"] for step in later["steps"]] == [0] * 6
    assert later["steps"][0]["all"]["median_seconds"] is None


async def test_the_newest_status_tells_for_whom_a_certificate_waits(tracking: Tracking) -> None:
    people: dict[str, list[str]] = {
        "submitted": ["submitted"],
        "reviewed": ["submitted", "reviewed"],
        "returned": ["submitted", "returned"],
        "approved": ["submitted", "reviewed", "approved"],
        "rejected": ["submitted", "rejected"],
        "draft": ["draft"],
        "withdrawn": ["submitted", "withdrawn"],
    }
    for statuses in people.values():
        certificate_id: UUID = uuid4()
        events = [a_status(status, n, NOON, certificate_id=certificate_id) for n, status in enumerate(statuses, start=1)]
        await tracking.receive(*reversed(events))  # the newest arrives first
    await tracking.receive(a_step("AS1", 1), a_step("AS2", 2), a_step("AS1", 1, reference="D2026-PNH-000124"))
    await tracking.receive(a_step("AS1", 1, reference="D2026-PNH-000125"), a_step("NOT", 2, reference="D2026-PNH-000125"))
    shown = await tracking.read("/status")
    assert shown["waiting"] == {"exporter": 1, "ministry": 2, "payment": 1, "partner": 2}


async def test_partners_are_up_down_or_unknown_and_say_how_many_wait(tracking: Tracking) -> None:
    later = NOON + timedelta(hours=1)
    await tracking.receive(a_partner("VN", "down", 3, later), a_partner("VN", "up", 2), a_partner("TH", "up", 1))
    arrived = {"reference": "D2026-PNH-000124"}
    await tracking.receive(a_step("AS1", 1), a_step("AS1", 1, **arrived), a_step("AS2", 2, **arrived))
    shown = {each["country"]: each for each in (await tracking.read("/partners"))["partners"]}
    assert len(shown) == 9  # without this country, and without Timor-Leste, which does not exchange yet
    assert (shown["VN"]["state"], shown["VN"]["since"], shown["VN"]["waiting"]) == ("down", "2026-03-02T06:00:00Z", 1)
    assert (shown["TH"]["state"], shown["MY"]["state"], shown["MY"]["since"]) == ("up", "unknown", None)
    page = (await tracking.see("/partners")).text
    assert "does not answer since" in page
    assert "2 March 2026, 13:00:00" in page


async def test_figures_are_computed_once_until_they_are_old() -> None:
    computed, now = [], [0.0]

    async def compute(context: object) -> int:
        computed.append(context)
        return len(computed)

    kept: Kept[int] = Kept(60, compute, lambda: now[0])
    assert [await kept.get(None), await kept.get(None)] == [1, 1]  # type: ignore[arg-type]
    now[0] = 60.0
    assert await kept.get(None) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["submitted", "issued"])
async def test_an_older_status_changes_nothing(tracking: Tracking, status: str) -> None:
    await tracking.receive(a_status("approved", 5, NOON), a_status(status, 4, datetime(2026, 3, 1, tzinfo=UTC)))
    assert (await tracking.read("/status"))["waiting"]["payment"] == 1
