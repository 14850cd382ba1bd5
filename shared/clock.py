"""Instants are in UTC; legal dates are in the instance's time zone. Tests inject a clock that they control."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MAX_CLOCK_SKEW = timedelta(minutes=10)
"""How much the clocks of replicas may differ. An instant further ahead comes from a clock that was set back later."""


class Clock:
    """The present instant, and the legal date in a time zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The legal date: today's date in the time zone of the offices."""
        return self.now().astimezone(self.zone).date()


def a_year_from(day: date) -> date:
    """The same day next year; from 29 February, 28 February."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def months_from(day: date, months: int) -> date:
    """The same day some months later; the last day of a month that is too short."""
    year, month = divmod(day.month - 1 + months, 12)
    last = monthrange(day.year + year, month + 1)[1]
    return date(day.year + year, month + 1, min(day.day, last))
