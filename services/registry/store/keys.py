"""Signing keys and sessions that are over, as every service keeps them; registry is their source."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select

from shared.contracts.registry.identity import SessionRevoked, SigningKeyPublished
from shared.tables import revoked_sessions, signing_keys
from shared.work import Work

key_ids = select(signing_keys.c.key_id)
revoked_session_ids = select(revoked_sessions.c.session_id)


async def is_new_key(work: Work, key_id: str, public_key: str, not_before: datetime, not_after: datetime) -> bool:
    """Notes a signing key; says whether it was not known before."""
    known = await work.session.scalar(select(signing_keys.c.key_id).where(signing_keys.c.key_id == key_id))
    if known is None:
        row = {"key_id": key_id, "public_key": public_key, "not_before": not_before, "not_after": not_after}
        await work.session.execute(insert(signing_keys).values(row))
    return known is None


async def signing_key(work: Work, key_id: str) -> SigningKeyPublished:
    """What everybody must know of a signing key."""
    row = (await work.session.execute(select(signing_keys).where(signing_keys.c.key_id == key_id))).mappings().one()
    return SigningKeyPublished(**row, version=1, occurred_at=work.now)


async def revoked_session(work: Work, session_id: UUID) -> SessionRevoked:
    """What everybody must know of a session that is over."""
    row = (await work.session.execute(select(revoked_sessions).where(revoked_sessions.c.session_id == session_id))).mappings()
    return SessionRevoked(**row.one(), version=1, occurred_at=work.now)
