"""Signing keys and sessions that are over, as every service keeps them; registry is their source."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from shared.contracts.registry.identity import SessionRevoked, SigningKeyPublished
from shared.database.tables import revoked_sessions, signing_keys
from shared.handling.work import Work

key_ids = select(signing_keys.c.key_id)
revoked_session_ids = select(revoked_sessions.c.session_id)


async def is_news(work: Work, key_id: str, public_key: str, not_before: datetime, not_after: datetime) -> bool:
    """Notes a signing key, or that it is retired sooner than was said; says whether either was not known before."""
    row = {"key_id": key_id, "public_key": public_key, "not_before": not_before, "not_after": not_after}
    if await work.insert_new(signing_keys, [row]):
        return True
    sooner = update(signing_keys).where(signing_keys.c.key_id == key_id, signing_keys.c.not_after > not_after)
    retired = sooner.values(not_after=not_after).returning(signing_keys.c.key_id)
    return bool((await work.session.execute(retired)).all())


async def signing_key(work: Work, key_id: str) -> SigningKeyPublished:
    """What everybody must know of a signing key."""
    row = (await work.session.execute(select(signing_keys).where(signing_keys.c.key_id == key_id))).mappings().one()
    return SigningKeyPublished(**row, version=1, occurred_at=work.now)


async def revoked_session(work: Work, session_id: UUID) -> SessionRevoked:
    """What everybody must know of a session that is over."""
    row = (await work.session.execute(select(revoked_sessions).where(revoked_sessions.c.session_id == session_id))).mappings()
    return SessionRevoked(**row.one(), version=1, occurred_at=work.now)
