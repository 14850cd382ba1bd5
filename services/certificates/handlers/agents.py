"""Agents: certificates keeps their mandates, and decides alone who acts for an exporter, also while registry is away.

Mandates that were revoked are on the deny list, like sessions that are over: their tokens come no further.
"""

from uuid import UUID

from services.certificates.domain.exporter import Mandate, MandateNotKnownYet, must_be_in_force
from services.certificates.store import find_exporter, find_mandate, keep_mandate
from shared.contracts.registry.mandates import MandateGranted
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(MandateGranted)
async def know_mandate_on_mandate_granted(event: MandateGranted, work: Work) -> None:
    """The agent may act for the exporter."""
    mandate = Mandate(event.mandate_id, event.exporter_id, event.agent_id, event.valid_until, event.version)
    await keep_mandate(work, mandate)


async def who_acts_for(exporter_id: UUID, work: Work) -> UUID | None:
    """The agent that acts for the exporter, or None where the exporter acts itself; refuses everybody else.

    Raises NotYours, MandateNotKnownYet, MandateOver, AgentNotRegistered.
    """
    work.actor.must_act_for(exporter_id)
    under = work.actor.mandate
    if under is None:
        return None
    mandate = await find_mandate(work, under.mandate_id)
    if mandate is None:
        raise MandateNotKnownYet()
    mandate.must_cover(exporter_id, under.agent_id, work.today)
    must_be_in_force(await find_exporter(work, under.agent_id), work.today)
    return under.agent_id
