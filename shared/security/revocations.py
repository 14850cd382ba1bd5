"""The deny list: sessions and mandates that ended before the tokens given for them do. `Tokens` believes none of these.

Every service keeps it from registry's events; registry itself, in the transaction that ends them.
"""

from shared.contracts.registry.identity import SessionRevoked
from shared.contracts.registry.mandates import MandateRevoked
from shared.database.upserts import insert_new
from shared.database.tables import revoked_mandates, revoked_sessions
from shared.handling.work import Work


async def revoke_session(event: SessionRevoked, work: Work) -> None:
    """No token of this session, or of this API key, is believed any more."""
    row = {"session_id": event.session_id, "until": event.until}
    await work.session.execute(insert_new(work.dialect, revoked_sessions, [row]))


async def revoke_mandate(event: MandateRevoked, work: Work) -> None:
    """No token under this mandate is believed any more."""
    row = {"mandate_id": event.mandate_id, "until": event.until}
    await work.session.execute(insert_new(work.dialect, revoked_mandates, [row]))
