"""Every service learns the keys that tokens are signed with."""

from datetime import timedelta

from services.registry.settings import Issuer
from services.registry.store import keys
from shared.identity import public_jwk
from shared.router import Router
from shared.work import Work

router = Router()

KEY_VALID = timedelta(days=365)


@router.at_start
async def publish_signing_key(work: Work) -> None:
    """Every service learns the key that tokens are signed with."""
    key = work.use(Issuer).key
    if await keys.is_new_key(work, key.thumbprint(), public_jwk(key), work.now, work.now + KEY_VALID):
        work.announce(await keys.signing_key(work, key.thumbprint()))


@router.reannounces("signing-key", keys.key_ids)
async def announce_signing_key(key_id: str, work: Work) -> None:
    """Tokens are signed with this key."""
    work.announce(await keys.signing_key(work, key_id))
