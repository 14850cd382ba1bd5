"""A company is reminded on set days before its registration ends. Each reminder is sent once, even after an outage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

OVER = -1
"""In place of the days before: the e-mail after the last day."""


class Outcome(StrEnum):
    """The outcome of a reminder."""

    SENT = "sent"
    MISSED = "missed"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class Schedule:
    """How many days before the last one reminders are sent, and at what hour, in the instance's zone."""

    days_before: Sequence[int]
    at_hour: int

    def due_at(self, valid_until: date, days_before: int, zone: ZoneInfo) -> datetime:
        """The instant at which a reminder is sent."""
        return datetime.combine(valid_until - timedelta(days=days_before), time(self.at_hour), zone)

    def ahead(self, valid_until: date, now: datetime, zone: ZoneInfo) -> list[int]:
        """The reminders that are still to come. Those due before an approval are not sent."""
        return [days for days in self.days_before if self.due_at(valid_until, days, zone) > now]

    def overtaken_at(self, valid_until: date, days_before: int, zone: ZoneInfo) -> datetime:
        """The instant at which a reminder becomes late: the start of the next one's day, or of the day after the last."""
        next_one = max([days for days in self.days_before if days < days_before], default=OVER)
        return _start_of(valid_until - timedelta(days=next_one), zone)


def outcome_of(planned_for: date, overtaken_at: datetime, valid_until: date | None, now: datetime) -> Outcome:
    """The outcome of a reminder that is due.

    It is not needed if another year was approved. It is missed if it is late: the next e-mail names the right number of
    days (ours).
    """
    if valid_until != planned_for:
        return Outcome.NOT_NEEDED
    return Outcome.MISSED if now >= overtaken_at else Outcome.SENT


def over_at(valid_until: date, zone: ZoneInfo) -> datetime:
    """The instant after a last day: the start of the next day."""
    return _start_of(valid_until + timedelta(days=1), zone)


def _start_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)
