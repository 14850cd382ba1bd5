"""Instants are UTC; legal dates are counted in the instance's zone. Time is injected, so that tests can walk it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MAX_CLOCK_SKEW = timedelta(minutes=10)
"""By how much the clocks of replicas may differ. What is further ahead was written by a clock that was put back since."""


class Clock:
    """The present, as an instant and as the legal date in a zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The legal date: what the calendar on the office wall says."""
        return self.now().astimezone(self.zone).date()


def a_year_from(day: date) -> date:
    """The same day next year; from 29 February, 28 February."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)
