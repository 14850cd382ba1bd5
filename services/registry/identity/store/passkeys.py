"""Passkeys, and the challenges that were answered."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from services.registry.identity.domain.passkey import Passkey
from services.registry.identity.tables import passkeys, used_challenges
from shared.handling.work import Work
from shared.operations.retention import delete_oldest


async def passkeys_of(work: Work, user_id: UUID) -> list[Passkey]:
    """The passkeys of a person, oldest first."""
    theirs = select(Passkey).where(passkeys.c.user_id == user_id)
    return list(await work.session.scalars(theirs.order_by(passkeys.c.created_at, passkeys.c.passkey_id)))


async def count_passkeys(work: Work, user_id: UUID) -> int:
    """The number of passkeys of a person."""
    return await work.session.scalar(select(func.count()).where(passkeys.c.user_id == user_id)) or 0


async def find_passkey_of(work: Work, user_id: UUID, credential_id: bytes) -> Passkey | None:
    """The passkey of this person with this credential, or None."""
    theirs = select(Passkey).where(passkeys.c.user_id == user_id, passkeys.c.credential_id == credential_id)
    return (await work.session.scalars(theirs.with_for_update())).first()


async def is_known(work: Work, credential_id: bytes) -> bool:
    """Whether a passkey with this credential is registered, for anyone."""
    known = select(passkeys.c.passkey_id).where(passkeys.c.credential_id == credential_id)
    return await work.session.scalar(known) is not None


async def use_challenge(work: Work, challenge: bytes, until: datetime) -> bool:
    """Uses a challenge. Returns False if it was used already; of simultaneous uses one succeeds."""
    row = {"challenge_hash": hashlib.sha256(challenge).hexdigest(), "until": until}
    return bool(await work.insert_new(used_challenges, [row]))


async def delete_expired_challenges(work: Work) -> bool:
    """Deletes used challenges that have expired. Returns whether there may be more."""
    return await delete_oldest(work, used_challenges, used_challenges.c.until, work.now)
