"""The public keys of actor tokens. Every service stores them when it receives registry's events."""

from sqlalchemy import update

from shared.contracts.registry.identity import SigningKeyPublished
from shared.database.tables import signing_keys
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.on(SigningKeyPublished)
async def store_key_on_signing_key_published(event: SigningKeyPublished, work: Work) -> None:
    """While this key is valid, tokens that it signed are accepted."""
    await store_key(event, work)


async def store_key(key: SigningKeyPublished, work: Work) -> bool:
    """Stores a key, or its earlier end of validity; a validity is never extended. Returns whether anything changed."""
    row = key.model_dump(include={"key_id", "public_key", "not_before", "not_after"})
    if await work.insert_new(signing_keys, [row]):
        return True
    sooner = update(signing_keys).where(signing_keys.c.key_id == key.key_id, signing_keys.c.not_after > key.not_after)
    retired = sooner.values(not_after=key.not_after).returning(signing_keys.c.key_id)
    return bool((await work.session.execute(retired)).all())
