"""The queries of the ledger: exchanged messages, outages, times of reception, and the register of notices and prints."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select

from services.gateway.domain import E_FORM_D
from services.gateway.ledger_tables import contingencies, contingency_numbers, messages, partner_outages
from services.gateway.outages import RECONCILED_BY, Contingency, PartnerOutage, parts_of
from services.gateway.store import steps, transmissions
from services.gateway.wire.evidence import Evidence
from shared.database.paging import By, page_of
from shared.database.upserts import add_one, raise_to
from shared.handling.work import Work

NEWEST = (
    By(messages.c.at, descending=True),
    By(messages.c.message_id, descending=True),
    By(messages.c.partner, descending=True),
    By(messages.c.direction, descending=True),
)
OF_PARTNER = (NEWEST[0], NEWEST[1], NEWEST[3])
ISSUED = (By(contingencies.c.issued_at, descending=True), By(contingencies.c.number, descending=True))
LISTED = ("message_id", "partner", "direction", "kind", "reference", "number", "at", "outcome")

SENT, RECEIVED = "sent", "received"

DAYS, SAMPLE = 30, 500
"""Over so many days, and so many of the newest documents of each partner, the median is computed."""
MAX_RECONCILED = 100
"""Maximum rows of the register that one transaction closes."""

_received, _sent = steps.alias("received"), steps.alias("sent")
_TIMES = (
    select(_sent.c.at.label("began"), _received.c.at.label("ended"))
    .join_from(_received, _sent, (_sent.c.transmission_id == _received.c.transmission_id) & (_sent.c.code == "AS1"))
    .where(
        _received.c.code == bindparam("received", "REC", literal_execute=True),
        _received.c.country == bindparam("country"),
        _received.c.at >= bindparam("since"),
    )
    .order_by(_received.c.at.desc())
    .limit(SAMPLE)
)


def direction_of(ours: bool) -> str:
    """The direction of a message in its row."""
    return SENT if ours else RECEIVED


async def store_messages(work: Work, evidence: Sequence[Evidence]) -> None:
    """Stores exchanged messages. A message that was exchanged before stays as it was."""
    now = work.now
    rows = [
        {
            "message_id": each.envelope.message_id,
            "partner": each.partner,
            "direction": direction_of(each.ours),
            "kind": each.envelope.kind.value,
            "reference": each.envelope.reference,
            "number": each.envelope.number,
            "sent_at": each.envelope.sent_at,
            "at": now,
            "outcome": each.outcome,
            "size": each.size,
            "compressed": each.compressed,
            "certificate": each.certificate,
        }
        for each in evidence
    ]
    if rows:
        await work.insert_new(messages, rows)


async def messages_page(
    work: Work, *, reference: str | None, partner: str | None, after: str | None, limit: int
) -> tuple[list[Row[Any]], str | None]:
    """One page of messages, newest first. No message is read whole."""
    rows = select(*(messages.c[name] for name in LISTED))
    if reference is not None:
        rows = rows.where(messages.c.reference == reference)
    if partner is not None:
        rows = rows.where(messages.c.partner == partner)
    return await page_of(work.session, rows, OF_PARTNER if partner and not reference else NEWEST, after, limit)


async def messages_with_id(work: Work, message_id: UUID) -> Sequence[Row[Any]]:
    """The messages with an id: one, or one of each partner that has chosen the same."""
    rows = select(*(messages.c[name] for name in LISTED)).where(messages.c.message_id == message_id)
    return (await work.session.execute(rows.limit(100))).all()


async def find_message(work: Work, message_id: UUID, partner: str, ours: bool) -> Row[Any] | None:
    """A message with its XML and the certificate of its signer."""
    same = (messages.c.message_id == message_id, messages.c.partner == partner, messages.c.direction == direction_of(ours))
    return (await work.session.execute(select(messages).where(*same))).first()


async def reception_times(work: Work, country: str) -> list[tuple[datetime, datetime]]:
    """When documents began (AS1) and were received (REC), of the last days: the newest `SAMPLE` of a country."""
    since = work.now - timedelta(days=DAYS)
    return [(row.began, row.ended) for row in await work.session.execute(_TIMES, {"country": country, "since": since})]


async def outages_now(work: Work) -> dict[str, PartnerOutage]:
    """The outages that have not ended, by country."""
    present = select(PartnerOutage).where(partner_outages.c.ended_at.is_(None))
    return {each.country: each for each in await work.session.scalars(present)}


async def outage_of(work: Work, country: str) -> PartnerOutage | None:
    """The outage of a partner that has not ended."""
    present = select(PartnerOutage).where(partner_outages.c.country == country, partner_outages.c.ended_at.is_(None))
    return (await work.session.scalars(present.with_for_update() if work.may_write else present)).first()


async def last_version(work: Work, country: str) -> int:
    """The number of changes of the outages of a partner."""
    last = select(func.max(partner_outages.c.version)).where(partner_outages.c.country == country)
    return await work.session.scalar(last) or 0


async def outages_of(work: Work, country: str) -> Sequence[PartnerOutage]:
    """All outages of a partner, the oldest first."""
    every = select(PartnerOutage).where(partner_outages.c.country == country).order_by(partner_outages.c.since)
    return (await work.session.scalars(every)).all()


async def next_serial(work: Work, kind: str, year: int) -> int:
    """The next serial number of notices or prints (by the letter) in a year."""
    return await add_one(work.session, contingency_numbers, {"kind": kind, "year": year}, "last")


async def skip_numbers_up_to(work: Work, number: str) -> None:
    """Recovery: this number was given, so the next one is above it."""
    letter, year, serial = parts_of(number)
    await raise_to(work.session, contingency_numbers, {"kind": letter, "year": year}, "last", serial)


async def contingency_of(work: Work, certificate_id: UUID, kind: str) -> Contingency | None:
    """The newest notice about a certificate, or print of it."""
    same = (contingencies.c.certificate_id == certificate_id, contingencies.c.kind == kind)
    newest = select(Contingency).where(*same).order_by(contingencies.c.issued_at.desc()).limit(1)
    return (await work.session.scalars(newest)).first()


async def contingencies_page(work: Work, only_open: bool, after: str | None, limit: int) -> tuple[list[Row[Any]], str | None]:
    """One page of the register, newest first, with the last code of each transmission."""
    sent = transmissions.alias("sent")
    own = steps.c.transmission_id == sent.c.transmission_id
    last = select(func.max(steps.c.position)).where(own).correlate(sent).scalar_subquery()
    same = (sent.c.reference == contingencies.c.reference) & (sent.c.number == contingencies.c.transmission)
    names = ("number", "kind", "certificate_id", "reference", "destination", "issued_at", "issued_by", "reconciled_at")
    rows = select(*(contingencies.c[name] for name in names), steps.c.code).outerjoin(sent, same)
    rows = rows.outerjoin(steps, own & (steps.c.position == last))
    if only_open:
        rows = rows.where(contingencies.c.reconciled_at.is_(None))
    return await page_of(work.session, rows, ISSUED, after, limit)


async def to_reconcile(work: Work) -> Sequence[Contingency]:
    """Open rows of the register whose certificate was received by the partner or cancelled."""
    rows = select(Contingency).join(transmissions, transmissions.c.certificate_id == contingencies.c.certificate_id)
    rows = rows.join(steps, (steps.c.transmission_id == transmissions.c.transmission_id) & steps.c.code.in_(RECONCILED_BY))
    rows = rows.where(contingencies.c.reconciled_at.is_(None), transmissions.c.kind == E_FORM_D)
    rows = rows.order_by(contingencies.c.issued_at, contingencies.c.number)
    return (await work.session.scalars(rows.limit(MAX_RECONCILED))).unique().all()


outage_countries = select(partner_outages.c.country).distinct()
notice_numbers = select(contingencies.c.number).where(contingencies.c.kind == "notice")
