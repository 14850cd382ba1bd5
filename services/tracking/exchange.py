"""The exchange with each member: what waits, how long a document takes, and which members are out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from sqlalchemy import bindparam, func, select

from services.tracking.answers import ExchangeState, PartnerShown, PartnersShown
from services.tracking.data_files import DataFiles
from services.tracking.outage_tables import TrackedNotice, TrackedOutage, tracked_notices, tracked_outages
from services.tracking.store import TrackedPartner, tracked_steps, tracked_transmissions
from shared.handling.work import Work

DAYS, SAMPLE, LEAST = 30, 500, 5
"""The median is that of so many days, over the newest documents of each member. For fewer than `LEAST` none is published."""
MAX_PARTNERS = 100
URGENT = ("out", "slow")


@dataclass(frozen=True)
class Queue:
    """What waits for a member: how many certificates, and since when the oldest."""

    waiting: int
    oldest: datetime | None


@dataclass(frozen=True)
class Median:
    """The median time from AS1 to REC, and of how many documents; None for fewer than `LEAST`."""

    seconds: int | None
    measured: int


_sent = tracked_transmissions.c
_QUEUES = (
    select(_sent.destination, func.count().label("waiting"), func.min(_sent.at).label("oldest"))
    .where(_sent.code == bindparam("waits", "AS1", literal_execute=True))
    .group_by(_sent.destination)
)
_received, _began = tracked_steps.alias("received"), tracked_steps.alias("began")
_same = (_began.c.reference == _received.c.reference) & (_began.c.number == _received.c.number) & (_began.c.code == "AS1")
_TIMES = (
    select(_began.c.at.label("began"), _received.c.at.label("ended"))
    .join_from(_received, _began, _same)
    .where(
        _received.c.code == bindparam("received", "REC", literal_execute=True),
        _received.c.country == bindparam("country"),
        _received.c.at >= bindparam("since"),
    )
    .order_by(_received.c.at.desc())
    .limit(SAMPLE)
)


async def queues(work: Work) -> dict[str, Queue]:
    """What waits here (AS1), by destination."""
    return {row.destination: Queue(row.waiting, row.oldest) for row in await work.session.execute(_QUEUES)}


async def medians(work: Work, countries: Iterable[str]) -> dict[str, Median]:
    """The median of each member, by country."""
    since, found = work.now - timedelta(days=DAYS), {}
    for country in countries:
        rows = (await work.session.execute(_TIMES, {"country": country, "since": since})).all()
        seconds = [max(0, round((row.ended - row.began).total_seconds())) for row in rows]
        found[country] = Median(median_low(seconds) if len(seconds) >= LEAST else None, len(seconds))
    return found


async def outages(work: Work) -> dict[str, datetime]:
    """The members that are out, with since when."""
    rows = await work.session.execute(select(tracked_outages).limit(MAX_PARTNERS))
    return {row.country: row.since for row in rows if row.ended_at is None}


async def find_outage(work: Work, country: str) -> TrackedOutage | None:
    """The last outage of a member."""
    row = (await work.session.execute(select(tracked_outages).where(tracked_outages.c.country == country))).first()
    return TrackedOutage(**row._mapping) if row else None


async def find_notice(work: Work, number: str) -> TrackedNotice | None:
    """The notice with a number."""
    row = (await work.session.execute(select(tracked_notices).where(tracked_notices.c.number == number))).first()
    return TrackedNotice(**row._mapping) if row else None


def members(data: DataFiles, own: str) -> set[str]:
    """The members that exchange certificates with this country."""
    return {code for code, row in data.countries.items() if row.exchanges} - {own}


@dataclass(frozen=True)
class Known:
    """What is known of the members, each by country."""

    partners: Sequence[TrackedPartner]
    queues: Mapping[str, Queue]
    medians: Mapping[str, Median]
    outages: Mapping[str, datetime]


def partners_view(known: Known, data: DataFiles, own: str, at: datetime) -> PartnersShown:
    """The exchange with each member, also with those that were never tried. Those that are out or slow come first."""
    observed = {partner.country: partner for partner in known.partners}
    codes = sorted(members(data, own) | observed.keys() | known.outages.keys(), key=lambda code: data.country(code).en)
    shown = []
    for code in codes[:MAX_PARTNERS]:
        partner, queue = observed.get(code), known.queues.get(code, Queue(0, None))
        median, out_since = known.medians.get(code, Median(None, 0)), known.outages.get(code)
        state = state_of(partner, queue, out_since, data, at)
        shown.append(
            PartnerShown(
                country=code,
                name=data.country(code),
                state=partner.state if partner else "unknown",
                since=partner.since if partner else None,
                waiting=queue.waiting,
                exchange=state,
                out_since=out_since,
                oldest=queue.oldest,
                median_seconds=median.seconds,
                next_step=data.exchange.states[state].next,
            )
        )
    shown.sort(key=lambda each: URGENT.index(each.exchange) if each.exchange in URGENT else len(URGENT))
    return PartnersShown(measured_at=at, partners=tuple(shown))


def state_of(
    partner: TrackedPartner | None, queue: Queue, out_since: datetime | None, data: DataFiles, at: datetime
) -> ExchangeState:
    """Whether the exchange with a member works, is slow, or is out."""
    if out_since is not None:
        return "out"
    late = queue.oldest is not None and at - queue.oldest > data.exchange.slow_after(at.date())
    if late or (partner is not None and partner.state == "down"):
        return "slow"
    return "works" if partner is not None else "unknown"
