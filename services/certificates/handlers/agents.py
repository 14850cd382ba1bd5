"""Agents and their mandates. Certificates decides alone whether an agent may act, also while registry is unavailable.

Revoked mandates and ended sessions are on the deny list, so their tokens are refused before a handler runs.
"""

from uuid import UUID

from services.certificates.domain.exporter import MandateNotKnownYet, must_be_in_force
from services.certificates.mappers import mandate_of
from services.certificates.store import find_exporter, find_mandate, keep_mandate
from shared.contracts.registry.mandates import MandateGranted
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(MandateGranted)
async def record_mandate_on_mandate_granted(event: MandateGranted, work: Work) -> None:
    """The agent may act for the exporter."""
    await keep_mandate(work, mandate_of(event))


async def agent_acting_for(exporter_id: UUID, work: Work) -> UUID | None:
    """The agent that acts for the exporter, or None if the exporter acts itself. Refuses everybody else.

    Raises NotYours, MandateNotKnownYet, MandateNotInForce, AgentNotRegistered.
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
