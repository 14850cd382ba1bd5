"""The service in figures: how long each step takes, and for whom certificates wait."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from time import monotonic
from typing import Any, Generic, TypeVar

from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import ColumnElement, Select, func, select

from services.tracking.answers import Bilingual, Figure, FigureOf, PartnersShown, ServiceFigures, StepFigures, Waiting
from services.tracking.data_files import DataFiles
from services.tracking.exchange import Known, Median, medians, members, outages, partners_view, queues
from services.tracking.store import (
    TrackedPartner,
    reached_statuses,
    tracked_certificates,
    tracked_partners,
    tracked_progress,
    tracked_steps,
    tracked_transmissions,
)
from shared.handling.work import ServiceContext, Work

T = TypeVar("T")

DAYS = 30
SAMPLE = 5_000
"""Maximum certificates of which a step is measured: the newest."""
LEAST = 5
"""A figure over fewer certificates is not published: one alone could be recognised."""
MAX_GROUPS = 100
PART = 200
"""Rows that are read before other requests get their turn."""
FIGURES_LAST, PARTNERS_LAST, OUTAGES_LAST = 60.0, 10.0, 5.0
"""Seconds until they are computed again."""

STATUSES = ("submitted", "reviewed", "approved", "issued")
CODES = ("AS1", "AS2", "REC")
STEPS = tuple(zip((*STATUSES, *CODES), (*STATUSES, *CODES)[1:], strict=False))
"""Each step: from which status or code, to which."""
WAITS_FOR = {"returned": "exporter", "submitted": "ministry", "reviewed": "ministry", "approved": "payment"}


@dataclass(frozen=True)
class Duration:
    """How long a step of one certificate took."""

    seconds: int
    office: str
    destination: str


async def service_figures(work: Work, data: DataFiles) -> ServiceFigures:
    """The figures of the last days."""
    since = work.now - timedelta(days=DAYS)
    steps = [step_figures(begins, ends, await durations(work, begins, ends, since), data) for begins, ends in STEPS]
    return ServiceFigures(measured_at=work.now, days=DAYS, sample=SAMPLE, steps=tuple(steps), waiting=await waiting(work))


async def waiting(work: Work) -> Waiting:
    """How many certificates wait, and for whom."""
    counted = select(tracked_progress.c.status, func.count()).where(tracked_progress.c.status.in_(WAITS_FOR))
    found = dict.fromkeys(("exporter", "ministry", "payment"), 0)
    for status, count in await work.session.execute(counted.group_by(tracked_progress.c.status)):
        found[WAITS_FOR[status]] += count
    at_partners = sum((await waiting_at_partners(work, "AS1", "AS2")).values())
    return Waiting(**found, partner=at_partners)


async def waiting_at_partners(work: Work, *codes: str) -> dict[str, int]:
    """How many transmissions stand at these codes, by destination."""
    sent = tracked_transmissions.c
    counted = select(sent.destination, func.count().label("waiting")).where(sent.code.in_(codes)).group_by(sent.destination)
    return {row.destination: row.waiting for row in await work.session.execute(counted)}


async def observed_partners(work: Work) -> Sequence[TrackedPartner]:
    """The partners whose gateway was observed."""
    rows = await work.session.execute(select(tracked_partners).limit(MAX_GROUPS))
    return [TrackedPartner(**row._mapping) for row in rows]


async def durations(work: Work, begins: str, ends: str, since: datetime) -> list[Duration]:
    """How long a step took for the certificates that ended it since then, at most `SAMPLE`: the newest."""
    found: list[Duration] = []
    rows = await work.session.stream(_step(begins, ends, since))
    async for part in rows.partitions(PART):
        found += (
            Duration(round((ended - began).total_seconds()), _office(office), destination)
            for began, ended, office, destination in part
            if ended >= began
        )
        await asyncio.sleep(0)
    return found


def _step(begins: str, ends: str, since: datetime) -> Select[Any]:
    """The beginning, the end, the office or reference, and the destination, for each certificate that ended a step."""
    if ends in STATUSES:
        end, begin = reached_statuses.alias("ended"), reached_statuses.alias("began")
        rows = select(begin.c.at, end.c.at, end.c.office, end.c.destination).join_from(
            end, begin, (begin.c.certificate_id == end.c.certificate_id) & (begin.c.status == begins)
        )
        # a certificate that was returned after the review was not reviewed again yet
        rows = rows.where(end.c.status == ends, begin.c.version < end.c.version)
        return _newest(rows, end.c.at, since)
    step, certificate = tracked_steps.alias("ended"), tracked_certificates
    same = certificate.c.reference == step.c.reference
    if begins in STATUSES:
        issue = reached_statuses.alias("began")
        issued = (issue.c.certificate_id == step.c.certificate_id) & (issue.c.status == begins)
        rows = select(issue.c.at, step.c.at, step.c.reference, certificate.c.destination).join_from(step, issue, issued)
        rows = rows.where(step.c.number == 1)
    else:
        former = tracked_steps.alias("began")
        before = (former.c.reference == step.c.reference) & (former.c.number == step.c.number) & (former.c.code == begins)
        rows = select(former.c.at, step.c.at, step.c.reference, certificate.c.destination).join_from(step, former, before)
    return _newest(rows.join(certificate, same).where(step.c.code == ends), step.c.at, since)


def _newest(rows: Select[Any], at: ColumnElement[datetime], since: datetime) -> Select[Any]:
    return rows.where(at >= since).order_by(at.desc()).limit(SAMPLE)


def _office(office_or_reference: str) -> str:
    """The office of a certificate: the middle of its reference."""
    return office_or_reference.split("-")[1] if "-" in office_or_reference else office_or_reference


def step_figures(begins: str, ends: str, measured: Sequence[Duration], data: DataFiles) -> StepFigures:
    """The figures of one step, in all, at each office and for each destination."""
    offices, destinations = defaultdict(list), defaultdict(list)
    for each in measured:
        offices[each.office].append(each.seconds)
        destinations[each.destination].append(each.seconds)
    return StepFigures(
        begins=begins,
        ends=ends,
        all=Figure(**_figure([each.seconds for each in measured])),
        offices=_groups(offices, {code: data.office(code) for code in offices}),
        destinations=_groups(destinations, {code: data.country(code) for code in destinations}),
    )


def _groups(groups: dict[str, list[int]], names: dict[str, Bilingual]) -> tuple[FigureOf, ...]:
    largest = sorted(groups, key=lambda code: (-len(groups[code]), code))[:MAX_GROUPS]
    return tuple(FigureOf(code=code, name=names[code], **_figure(groups[code])) for code in largest)


def _figure(seconds: Iterable[int]) -> dict[str, Any]:
    ordered = sorted(seconds)
    enough = len(ordered) >= LEAST
    return {
        "certificates": len(ordered),
        "median_seconds": percentile(ordered, 50) if enough else None,
        "p95_seconds": percentile(ordered, 95) if enough else None,
    }


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The smallest value that at least this share does not exceed (nearest rank)."""
    return ordered[max(ceil(len(ordered) * percent / 100), 1) - 1]


class Figures:
    """The figures, the partners and the outages. Each replica computes them at most once in 60, 10 and 5 seconds."""

    def __init__(self, data: DataFiles, now: Callable[[], float] = monotonic) -> None:
        self._data = data
        self.service: Kept[ServiceFigures] = Kept(FIGURES_LAST, self._service, now)
        self.partners: Kept[PartnersShown] = Kept(PARTNERS_LAST, self._partners, now)
        self.outages: Kept[dict[str, datetime]] = Kept(OUTAGES_LAST, self._outages, now)
        self._medians: Kept[dict[str, Median]] = Kept(FIGURES_LAST, self._median_of_each, now)

    async def _service(self, context: ServiceContext) -> ServiceFigures:
        async with context.reading(INVALID_SPAN) as work:
            return await service_figures(work, self._data)

    async def _partners(self, context: ServiceContext) -> PartnersShown:
        of_each = await self._medians.get(context)
        async with context.reading(INVALID_SPAN) as work:
            known = Known(await observed_partners(work), await queues(work), of_each, await outages(work))
            return partners_view(known, self._data, work.country, work.now)

    async def _outages(self, context: ServiceContext) -> dict[str, datetime]:
        async with context.reading(INVALID_SPAN) as work:
            return await outages(work)

    async def _median_of_each(self, context: ServiceContext) -> dict[str, Median]:
        async with context.reading(INVALID_SPAN) as work:
            return await medians(work, sorted(members(self._data, work.country)))


class Kept(Generic[T]):
    """A value that is computed again only after some seconds, and only once at the same time."""

    def __init__(self, lasts: float, compute: Callable[[ServiceContext], Awaitable[T]], now: Callable[[], float]) -> None:
        self._lasts, self._compute, self._now = lasts, compute, now
        self._lock = asyncio.Lock()
        self._value: tuple[float, T] | None = None

    async def get(self, context: ServiceContext) -> T:
        """The value, at most `lasts` seconds old."""
        async with self._lock:
            if self._value is None or self._now() - self._value[0] >= self._lasts:
                self._value = self._now(), await self._compute(context)
            return self._value[1]
