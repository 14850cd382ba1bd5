"""The handlers of outages: a partner that does not answer for longer than the set time is out."""

from datetime import timedelta
from typing import ClassVar

from services.gateway import ledger_store
from services.gateway.ledger_store import last_version, outage_of, outages_now, outages_of
from services.gateway.ledger_tables import partner_outages
from services.gateway.outages import PartnerOutage, is_out
from services.gateway.store import observed_partners, partner_by_country
from shared.contracts.gateway.outages import PartnerOutageChanged
from shared.handling.router import Router
from shared.handling.task import Task
from shared.handling.work import Work

router = Router()


class AnnounceOutages(Task):
    """Announces, every minute, each partner that is out since a moment ago."""

    kind: ClassVar[str] = "announce_outages"
    every: ClassVar[timedelta | None] = timedelta(minutes=1)


@router.due(AnnounceOutages)
async def announce_outages(task: AnnounceOutages, work: Work) -> None:
    """A partner that has not answered for longer than the set time is out. The public and its exporters see it."""
    known = await outages_now(work)
    for country, seen in (await observed_partners(work)).items():
        if country in known:
            if seen.answers:  # the end was not recorded, for example before a restore
                await end_outage(country, work)
        elif is_out(seen.answers, seen.since, work.now, work.today):
            await begin_outage(country, work)


async def begin_outage(country: str, work: Work) -> None:
    """The partner is out, unless it has answered a moment ago."""
    partner = await partner_by_country(work, country)
    if partner.version and is_out(partner.answers, partner.since, work.now, work.today):
        outage = PartnerOutage(country, partner.since, await last_version(work, country) + 1)
        work.session.add(outage)
        work.announce(changed(outage, work))


async def end_outage(country: str, work: Work) -> None:
    """The partner answers again."""
    if outage := await outage_of(work, country):
        outage.ended_at, outage.version = work.now, outage.version + 1
        work.announce(changed(outage, work))


def changed(outage: PartnerOutage, work: Work) -> PartnerOutageChanged:
    """The event of an outage as it is now."""
    return PartnerOutageChanged(
        country=outage.country,
        since=outage.since,
        ended_at=outage.ended_at,
        version=outage.version,
        occurred_at=outage.ended_at or work.now,
    )


@router.on_replay(PartnerOutageChanged)
async def replay_outage(event: PartnerOutageChanged, work: Work) -> None:
    """The outage is as announced last."""
    row = {"country": event.country, "since": event.since, "ended_at": event.ended_at, "version": event.version}
    await work.insert_newer(partner_outages, row)


@router.reannounces("partner-outage", ledger_store.outage_countries)
async def announce_outages_of(country: str, work: Work) -> None:
    """The last outage of a partner is announced again."""
    for outage in (await outages_of(work, country))[-1:]:
        work.announce(changed(outage, work))
