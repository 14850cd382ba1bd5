"""Agents and their mandates. Certificates decides alone whether an agent may act, also while registry is unavailable.

Revoked mandates and ended sessions are on the deny list, so their tokens are refused before a handler runs.
"""

from uuid import UUID

from services.certificates.domain.certificate import Certificate
from services.certificates.domain.exporter import MandateNotKnownYet, must_be_in_force
from services.certificates.mappers import mandate_of
from services.certificates.store.certificates import certificate_by_id
from services.certificates.store.exporters import find_exporter, find_mandate, keep_mandate
from shared.contracts.registry.mandates import MandateGranted
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(MandateGranted)
async def record_mandate_on_mandate_granted(event: MandateGranted, work: Work) -> None:
    """The agent may act for the exporter."""
    await keep_mandate(work, mandate_of(event))


async def certificate_of_actor(certificate_id: UUID, work: Work) -> Certificate:
    """The certificate, for its exporter and for the agent that drafted it. Refuses everybody else.

    Raises CertificateNotFound, NotYours, MandateNotKnownYet, MandateNotInForce, AgentNotRegistered, BegunByAnother.
    """
    certificate = await certificate_by_id(work, certificate_id)
    await must_be_of_exporter(certificate, work)
    return certificate


async def must_be_of_exporter(certificate: Certificate, work: Work) -> None:
    """Refuses everybody but the exporter of a certificate and the agent that drafted it."""
    await agent_acting_for(certificate.exporter_id, work)
    work.actor.must_have_begun(certificate.agent_id)


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
