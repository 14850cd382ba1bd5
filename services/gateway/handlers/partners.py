"""The handler of the list of partners: how the exchange with each other member goes."""

from services.gateway.handlers.sending import TransmitDocument
from services.gateway.ledger_store import outages_now, reception_times
from services.gateway.outages import median_seconds
from services.gateway.store import observed_partners, waiting_for, waiting_tasks
from services.gateway.wire.exchange import Exchange
from services.gateway.wire.partners import Partner
from shared.contracts.gateway.partners import ListedPartner, ListPartners, PartnerContact, Partners, PartnerState
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ListPartners)
async def list_partners(question: ListPartners, work: Work) -> Partners:
    """Officers, customs and auditors see each member: whether it answers, and what waits for it."""
    exchange = work.use(Exchange)
    observed, out = await observed_partners(work), await outages_now(work)
    listed = []
    for country in exchange.partners.members:
        if country == exchange.country:
            continue
        partner, state = exchange.partners.find(country), observed.get(country)
        count, more, oldest = await waiting_for(work, country)
        reasons = await waiting_tasks(work, TransmitDocument, [oldest.transmission_id]) if oldest else {}
        times = await reception_times(work, country) if state else []
        listed.append(
            ListedPartner(
                country=country,
                configured=partner is not None,
                state=(PartnerState.UP if state.answers else PartnerState.DOWN) if state and state.version else None,
                since=state.since if state and state.version else None,
                waiting=count,
                more=more,
                oldest=oldest.began_at if oldest else None,
                waits_because=next((reason for _, reason in reasons.values()), None),
                problem=exchange.partners.problem_of(country),
                out_since=out[country].since if country in out else None,
                median_seconds=median_seconds(times),
                measured=len(times),
                last_error=state.problem if state else None,
                last_error_at=state.problem_at if state else None,
                **(_row_of(partner, exchange, work) if partner else {}),
            )
        )
    return Partners(partners=tuple(listed))


def _row_of(partner: Partner, exchange: Exchange, work: Work) -> dict[str, object]:
    contact = partner.contact
    return {
        "opens_on": exchange.partners.opening_of(partner),
        "version": partner.version_on(work.today),
        "certificates_until": partner.certificates_until.date(),
        "contact": contact and PartnerContact(name=contact.name, email=contact.email, telephone=contact.telephone),
    }
