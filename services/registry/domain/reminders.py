"""An exporter is reminded before a registration ends: on set days, each once, whatever was down meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

OVER = -1
"""In place of the days before: the letter that says that the year is over."""


class Outcome(StrEnum):
    """What became of a reminder."""

    SENT = "sent"
    MISSED = "missed"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class Schedule:
    """On how many days before the last one reminders go out, and at what hour, in the instance's zone."""

    days_before: Sequence[int]
    at_hour: int

    def due_at(self, valid_until: date, days_before: int, zone: ZoneInfo) -> datetime:
        """The instant at which a reminder goes out."""
        return datetime.combine(valid_until - timedelta(days=days_before), time(self.at_hour), zone)

    def ahead(self, valid_until: date, now: datetime, zone: ZoneInfo) -> list[int]:
        """Which reminders are still to come; what was due before an approval is nobody's to send."""
        return [days for days in self.days_before if self.due_at(valid_until, days, zone) > now]

    def overtaken_at(self, valid_until: date, days_before: int, zone: ZoneInfo) -> datetime:
        """From which instant on a reminder comes too late: the first of the next one's day, or of the day after the last."""
        next_one = max([days for days in self.days_before if days < days_before], default=OVER)
        return _first_of(valid_until - timedelta(days=next_one), zone)


def outcome_of(planned_for: date, overtaken_at: datetime, valid_until: date | None, now: datetime) -> Outcome:
    """What becomes of a reminder now that its turn has come.

    Another year was approved meanwhile: not needed. It comes so late that the next one goes out that day or has, or that the
    year is over: missed, for what comes next says the right number of days (ours).
    """
    if valid_until != planned_for:
        return Outcome.NOT_NEEDED
    return Outcome.MISSED if now >= overtaken_at else Outcome.SENT


def over_at(valid_until: date, zone: ZoneInfo) -> datetime:
    """The instant at which something is over whose last day this is: the first of the day after."""
    return _first_of(valid_until + timedelta(days=1), zone)


def _first_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), zone)
