"""Signing keys and revoked sessions. Every service stores them; registry is their source."""

from uuid import UUID

from sqlalchemy import select

from shared.contracts.registry.identity import SessionRevoked, SigningKeyPublished
from shared.database.tables import revoked_sessions, signing_keys
from shared.handling.work import Work

key_ids = select(signing_keys.c.key_id)
revoked_session_ids = select(revoked_sessions.c.session_id)


async def signing_key(work: Work, key_id: str) -> SigningKeyPublished:
    """The event that announces a key."""
    row = (await work.session.execute(select(signing_keys).where(signing_keys.c.key_id == key_id))).mappings().one()
    return SigningKeyPublished(**row, version=1, occurred_at=work.now)


async def revoked_session(work: Work, session_id: UUID) -> SessionRevoked:
    """The event that announces the end of a session."""
    row = (await work.session.execute(select(revoked_sessions).where(revoked_sessions.c.session_id == session_id))).mappings()
    return SessionRevoked(**row.one(), version=1, occurred_at=work.now)
