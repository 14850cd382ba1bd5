"""Data that the ministry can change, and that only pages use: the headquarters, and how long a case may wait."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.dated import NothingInForce, effective_from, in_force

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Office:
    """An issuing office. `headquarters`: its officers act for all offices. `services.portal.names` has its name."""

    code: str
    headquarters: bool


@dataclass(frozen=True)
class ServiceLevels:
    """The days that a case may wait, by what it waits for."""

    effective_from: date
    days: Mapping[str, int]


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return rows


OFFICES = tuple(Office(row["code"], row["headquarters"]) for row in _rows("offices"))
SERVICE_LEVELS = tuple(ServiceLevels(effective_from(row), row["days"]) for row in _rows("service_levels"))


def is_headquarters(office: str) -> bool:
    """Whether the officers of an office act for all offices."""
    return any(known.headquarters for known in OFFICES if known.code == office)


def acts_for(organisation: str, office: str) -> bool:
    """Whether the officers of an organisation may act for an office: the own one, or any if it is the headquarters."""
    return organisation == office or is_headquarters(organisation)


def is_late(what: str, since: datetime, now: datetime) -> bool:
    """Whether a case has waited longer than its service level allows."""
    try:
        days = in_force(SERVICE_LEVELS, now.date()).days.get(what)
    except NothingInForce:
        return False
    return days is not None and now - since > timedelta(days=days)
