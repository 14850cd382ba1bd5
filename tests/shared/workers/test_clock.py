"""Legal dates are counted in the instance's zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from opentelemetry.trace import INVALID_SPAN

from shared.clock import Clock, a_year_from
from tests.conftest import Databases
from tests.support.plumbing_stack import ZONE, a_service_context


class StandingClock(Clock):
    """A clock that shows one instant."""

    def __init__(self, instant: datetime, zone: ZoneInfo = ZONE) -> None:
        super().__init__(zone)
        self.instant = instant

    def now(self) -> datetime:
        return self.instant


NEW_YEAR = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)


def test_the_legal_date_is_that_of_the_office_wall() -> None:
    assert StandingClock(NEW_YEAR).today() == date(2027, 1, 1)
    assert StandingClock(NEW_YEAR, ZoneInfo("UTC")).today() == date(2026, 12, 31)
    assert StandingClock(NEW_YEAR.replace(hour=16, minute=59)).today() == date(2026, 12, 31)


def test_the_present_is_in_utc() -> None:
    assert Clock(ZONE).now().tzinfo is UTC


async def test_a_handler_sees_the_legal_date(sqlite_databases: Databases) -> None:
    standing = StandingClock(NEW_YEAR)
    async with a_service_context(sqlite_databases.empty(), standing) as context, context.reading(INVALID_SPAN) as work:
        assert work.today == date(2027, 1, 1)
        assert work.now == NEW_YEAR
        assert work.legal_date(datetime(2026, 2, 28, 17, 0, tzinfo=UTC)) == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("day", "a_year_later"),
    [
        (date(2026, 3, 1), date(2027, 3, 1)),
        (date(2028, 2, 29), date(2029, 2, 28)),
        (date(2027, 2, 28), date(2028, 2, 28)),
        (date(2026, 12, 31), date(2027, 12, 31)),
    ],
)
def test_a_year_from_a_day_is_the_same_day_or_the_last_of_february(day: date, a_year_later: date) -> None:
    assert a_year_from(day) == a_year_later
