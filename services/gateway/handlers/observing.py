"""The handlers that record whether each partner's gateway answers, as the tasks that send to it notice."""

from services.gateway import store
from services.gateway.domain import PartnerGateway
from services.gateway.handlers.outages import end_outage
from services.gateway.ledger_store import store_messages
from services.gateway.store import partner_answers, partner_by_country
from services.gateway.wire.exchange import Attempt
from services.gateway.wire.messages import Receipt
from shared.contracts.gateway.partners import PartnerObserved, PartnerState
from shared.handling.router import Router
from shared.handling.work import Work
from shared.refusals import Unavailable

router = Router()


async def receipt_of(attempt: Attempt, work: Work) -> Receipt:
    """The receipt of an attempt to send. If there is none, it raises the reason; what was noticed stays recorded."""
    if attempt.answers not in (None, await partner_answers(work, attempt.country)):  # else nothing has changed
        partner = await partner_by_country(work, attempt.country)
        problem = str(attempt.outcome) if isinstance(attempt.outcome, Unavailable) else None
        if partner.observe(answers=attempt.answers, at=work.now, problem=problem):
            work.announce(observed(partner))
            if partner.answers:
                await end_outage(partner.country, work)
    if isinstance(attempt.outcome, Receipt):
        await store_messages(work, attempt.evidence)
        return attempt.outcome
    if work.announced:
        await work.commit_so_far()
    raise attempt.outcome


@router.on_replay(PartnerObserved)
async def replay_partner(event: PartnerObserved, work: Work) -> None:
    """The state of a partner is as announced last."""
    answers = event.state is PartnerState.UP
    await work.insert_newer(
        store.partners,
        {"country": event.country, "answers": answers, "since": event.occurred_at, "version": event.version},
    )


@router.reannounces("partner", store.partner_countries)
async def announce_partner(country: str, work: Work) -> None:
    """The state of a partner's gateway is announced again."""
    work.announce(observed(await partner_by_country(work, country)))


def observed(partner: PartnerGateway) -> PartnerObserved:
    """The event of a partner's present state."""
    return PartnerObserved(
        country=partner.country,
        state=PartnerState.UP if partner.answers else PartnerState.DOWN,
        version=partner.version,
        occurred_at=partner.since,
    )
