"""The rules of outages: when a partner is out, which notices exporters get meanwhile, and how long records are kept."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median_low
from typing import Any, TypeVar
from uuid import UUID

from shared.dated import effective_from, in_force
from shared.refusals import Refused

DATA = Path(__file__).parent / "data"
RECONCILED_BY = ("REC", "CAN")
"""The codes that close a row of the register: the partner has the document, or the certificate is cancelled."""

R = TypeVar("R")


class PartnerNotOut(Refused):
    code = "partner_not_out"


class NotWaiting(Refused):
    code = "document_not_waiting"


class ContingencyNotFound(Refused):
    code = "contingency_not_found"


class MessageNotFound(Refused):
    code = "message_not_found"


@dataclass(frozen=True)
class OutageRule:
    """After how long without an answer a partner is out."""

    effective_from: date
    out_after: timedelta


@dataclass(frozen=True)
class RecordRule:
    """For how many years exchanged messages are kept."""

    effective_from: date
    years: int


def load_outage_rules(file: Path = DATA / "outages.json") -> Sequence[OutageRule]:
    """Reads the data file."""
    return _rows(file, lambda row: OutageRule(effective_from(row), timedelta(minutes=row["out_after_minutes"])))


def load_record_rules(file: Path = DATA / "records.json") -> Sequence[RecordRule]:
    """Reads the data file."""
    return _rows(file, lambda row: RecordRule(effective_from(row), row["years"]))


def _rows(file: Path, row_of: Callable[[dict[str, Any]], R]) -> Sequence[R]:
    return [row_of(row) for row in json.loads(file.read_text(encoding="utf-8"))]


OUTAGE_RULES, RECORD_RULES = load_outage_rules(), load_record_rules()


def is_out(answers: bool, since: datetime, now: datetime, on: date) -> bool:
    """Whether a partner has not answered for longer than the set time of this day."""
    return not answers and now - since >= in_force(OUTAGE_RULES, on).out_after


def years_later(day: datetime, years: int) -> datetime:
    """The same day some years later or earlier. 29 February becomes 28 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def kept_until(at: datetime, on: date) -> datetime:
    """Until when a message that was exchanged at this time is stored at least."""
    return years_later(at, in_force(RECORD_RULES, on).years)


def expired_before(now: datetime, on: date) -> datetime:
    """Messages that were exchanged before this time are deleted: one day later than the law requires."""
    return years_later(now, -in_force(RECORD_RULES, on).years) - timedelta(days=1)


def median_seconds(times: Sequence[tuple[datetime, datetime]]) -> int | None:
    """The median of durations in whole seconds; None without any. A clock of a partner may be wrong: none is negative."""
    return median_low([max(0, round((end - begin).total_seconds())) for begin, end in times]) if times else None


@dataclass(eq=False)
class PartnerOutage:
    """An outage of a partner. `since`: when it stopped answering. `version` counts the changes of all its outages."""

    country: str
    since: datetime
    version: int
    ended_at: datetime | None = None


@dataclass(eq=False)
class Contingency:
    """A numbered notice or print for one transmission of a certificate. `token`: its facts, signed by this gateway."""

    number: str
    kind: str
    certificate_id: UUID
    transmission: int
    reference: str
    destination: str
    out_since: datetime
    issued_at: datetime
    token: str
    public_key: str
    issued_by: UUID | None = None
    reconciled_at: datetime | None = None


def number_of(country: str, kind: str, year: int, serial: int) -> str:
    """The number of a notice, as in `KH-N-2026-000001`."""
    return f"{country}-{kind[0].upper()}-{year}-{serial:06}"


def parts_of(number: str) -> tuple[str, int, int]:
    """The kind (its letter), the year and the serial number in a number."""
    _, letter, year, serial = number.split("-")
    return letter, int(year), int(serial)
