"""Every service learns the keys that tokens are signed with, a good while before each signs."""

from services.registry.settings import Issuer
from services.registry.signing_keys import VALID
from services.registry.store import keys
from shared.handling.router import Router
from shared.handling.work import Work
from shared.security.tokens import public_jwk

router = Router()


@router.at_start
async def publish_signing_keys(work: Work) -> None:
    """Every service learns the keys, also those that sign only later, and which are retired before their time."""
    for each in work.use(Issuer).keys.keys:
        valid_until = each.valid_until or work.now + VALID
        key_id = each.key.thumbprint()
        if await keys.is_news(work, key_id, public_jwk(each.key), work.now, valid_until):
            work.announce(await keys.signing_key(work, key_id))


@router.reannounces("signing-key", keys.key_ids)
async def announce_signing_key(key_id: str, work: Work) -> None:
    """Tokens are signed with this key."""
    work.announce(await keys.signing_key(work, key_id))
