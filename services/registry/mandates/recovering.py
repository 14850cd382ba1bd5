"""Mandates are announced again. Mandates, API keys and sessions are restored from events after a restore from a backup."""

from uuid import UUID

from services.registry.identity.store import sessions
from services.registry.mandates import store
from services.registry.mandates.domain.mandate import Mandate, Side, Status
from services.registry.mandates.views import granted, revoked
from shared.contracts.registry.identity import SessionRevoked
from shared.contracts.registry.mandates import MandateGranted, MandateRevoked
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.reannounces("mandate", store.once_granted)
async def announce_mandate(mandate_id: UUID, work: Work) -> None:
    """Announces the grant of a mandate, and its revocation."""
    mandate = await store.mandate_by_id(work, mandate_id)
    work.announce(granted(mandate, work))
    if mandate.status is Status.REVOKED:
        work.announce(revoked(mandate, work))


@router.on_replay(MandateGranted)
async def restore_grant(event: MandateGranted, work: Work) -> None:
    """Restores the grant of a mandate, also of one that the backup does not know."""
    mandate = await store.find_mandate(work, event.mandate_id)
    if mandate is None:
        mandate = Mandate(
            mandate_id=event.mandate_id,
            exporter_id=event.exporter_id,
            agent_id=event.agent_id,
            scope=sorted(event.scope),
            valid_until=event.valid_until,
            proposed_by=Side.EXPORTER,
            version=0,
        )
        work.session.add(mandate)
    mandate.restore_grant(event.occurred_at, event.version)


@router.on_replay(MandateRevoked)
async def restore_revocation(event: MandateRevoked, work: Work) -> None:
    """Restores the revocation of a mandate."""
    if mandate := await store.find_mandate(work, event.mandate_id):
        mandate.restore_revocation(event.occurred_at, event.version)


@router.on_replay(SessionRevoked)
async def restore_end_of_session(event: SessionRevoked, work: Work) -> None:
    """Restores the end of a session, or the revocation of an API key: both use this event."""
    if session := await sessions.find_session(work, event.session_id):
        session.ended_at = session.ended_at or event.occurred_at
    if key := await store.find_api_key(work, event.session_id):
        key.revoke(event.occurred_at)
