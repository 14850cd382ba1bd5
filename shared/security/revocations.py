"""Revoked sessions and mandates: `Tokens` refuses their tokens before these expire.

Every service stores them when it receives registry's events. Registry stores them in the transaction that revokes them.
"""

from shared.contracts.registry.identity import SessionRevoked
from shared.contracts.registry.mandates import MandateRevoked
from shared.database.tables import revoked_mandates, revoked_sessions
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(SessionRevoked)
async def store_revoked_session(event: SessionRevoked, work: Work) -> None:
    """From now on, tokens of this session, or of this API key, are refused."""
    await work.insert_new(revoked_sessions, [{"session_id": event.session_id, "until": event.until}])


@router.on(MandateRevoked)
async def store_revoked_mandate(event: MandateRevoked, work: Work) -> None:
    """From now on, tokens under this mandate are refused."""
    await work.insert_new(revoked_mandates, [{"mandate_id": event.mandate_id, "until": event.until}])
