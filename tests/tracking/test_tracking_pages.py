"""Pages of certificates that are rendered once for each shape, and look-ups of several visitors in one statement."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from services.tracking import look_ups
from services.tracking.certificate_pages import MAX_SHAPES, CertificatePages
from services.tracking.data_files import DataFiles
from services.tracking.look_ups import LookUps
from services.tracking.replies import ready_values
from services.tracking.store import CertificateNotFound, Tracked, TrackedCertificate, TrackedStep
from services.tracking.views import certificate_view
from shared.contracts.gateway.transmissions import StatusCode

from .conftest import A_JOURNEY, REFERENCE, SITE, Tracking, a_step, an_issued_certificate

DATA = DataFiles()
INSTANTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)).map(lambda at: at.replace(tzinfo=UTC))
STEPS = st.tuples(
    st.integers(1, 3),
    st.sampled_from([code.value for code in StatusCode]),
    st.sampled_from(["KH", "VN", "XX"]),
    INSTANTS,
    st.lists(st.sampled_from(["restricted_goods", "moon_phase_unsuitable", "<b>"]), max_size=2),
)


def a_tracked(steps: list[Any], serial: int = 123, office: str = "PNH", **changes: Any) -> Tracked:
    reference = f"D2026-{office}-{serial:06}"
    values: dict[str, Any] = {"form": "D", "destination": "VN", "issued_on": date(2026, 3, 2), "valid_until": date(2027, 3, 2)}
    own = TrackedCertificate(reference=reference, certificate_id=uuid4(), version=7, **values | changes)
    numbered = enumerate(sorted(steps, key=lambda step: step[0]), start=1)
    return Tracked(
        own,
        [
            TrackedStep(reference, n, code, own.certificate_id, *rest, version, why)
            for version, (n, code, *rest, why) in numbered
        ],
    )


def rendered(tracked: Tracked, code: str, path: str, query: str) -> str:
    """The page as the template makes it."""
    language, view = SITE.languages.all[code], certificate_view(tracked, DATA)
    values = ready_values(language, DATA) | {"path": path, "query": query, "view": view, "reference": view.reference}
    return SITE.text("found.html", language, **values)


@given(
    st.lists(STEPS, max_size=4),
    st.lists(INSTANTS, min_size=4, max_size=4),
    st.sampled_from(["en", "km"]),
    st.sampled_from(["PNH", "SHV", "ZZ"]),
    st.sampled_from(["", "reference=1", 'reference=%3C"<&']),
    st.dates(),
)
def test_a_page_made_of_a_kept_one_is_the_same_as_a_rendered_one(
    steps: list[Any], other_times: list[datetime], code: str, office: str, query: str, day: date
) -> None:
    pages, language = CertificatePages(DATA), SITE.languages.all[code]
    first = a_tracked(steps, office=office)
    second = a_tracked(
        [(number, step, country, at, why) for (number, step, country, _, why), at in zip(steps, other_times, strict=False)],
        serial=7654321,
        office=office,
        issued_on=day,
    )
    for tracked in (first, second):
        path = f"/certificates/{tracked.certificate.reference}<"
        assert pages.text(tracked, SITE, language, path, query) == rendered(tracked, code, path, query)
    assert len(pages._shapes) == 1


def test_pages_are_kept_for_a_limited_number_of_shapes() -> None:
    pages, language = CertificatePages(DATA), SITE.languages.all["en"]
    for number in range(MAX_SHAPES + 5):
        pages.text(a_tracked([], form=f"D{number}"), SITE, language, "/", "")
    assert len(pages._shapes) == MAX_SHAPES


async def test_visitors_at_the_same_time_are_served_by_one_statement(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY, an_issued_certificate(reference="D2026-SHV-000001", certificate_id=uuid4()))
    statements: list[str] = []
    reading = tracking.database._readers.sync_engine
    event.listen(reading, "before_cursor_execute", lambda *values: statements.append(values[2]))

    answers = await asyncio.gather(
        *(tracking.page(reference) for reference in (REFERENCE, "D2026-SHV-000001", "D2026-SHV-000002"))
    )

    assert [answer.status_code for answer in answers] == [200, 200, 404]
    assert REFERENCE in answers[0].text
    assert len([each for each in statements if "tracked_certificates" in each]) == 1


async def test_a_page_shows_what_was_received_before_it_was_requested(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    assert (await tracking.json()).json()["status"] == "REC"
    await tracking.receive(a_step("UTL", 4))
    assert (await tracking.json()).json()["status"] == "UTL"
    assert 'class="code">UTL' in (await tracking.page()).text


async def test_a_visitor_who_goes_away_stops_no_other(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    found = LookUps()
    gone, other = (asyncio.create_task(found.find(REFERENCE, tracking.context)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await other).certificate.reference == REFERENCE


async def test_more_visitors_than_one_statement_takes_are_all_served(
    tracking: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_ups, "MAX_TOGETHER", 2)
    await tracking.receive(*A_JOURNEY)
    found = LookUps()
    wanted = [found.find(reference, tracking.context) for reference in (REFERENCE, "D2026-PNH-999999") * 3]
    results = await asyncio.gather(*wanted, return_exceptions=True)
    assert [type(result) for result in results] == [Tracked, CertificateNotFound] * 3


async def test_every_visitor_learns_that_the_database_is_away(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    found = LookUps()

    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("disk i/o error"))

    event.listen(tracking.database._readers.sync_engine, "before_cursor_execute", fail)
    results = await asyncio.gather(*(found.find(REFERENCE, tracking.context) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [OperationalError] * 3
    event.remove(tracking.database._readers.sync_engine, "before_cursor_execute", fail)
    assert (await found.find(REFERENCE, tracking.context)).steps
    await found.aclose()
