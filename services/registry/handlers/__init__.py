"""What registry reacts to: registrations, identity, and the keys that tokens are signed with."""

from services.registry.handlers import again, deciding, identity, keys, registering, reminding
from services.registry.store.registrations import (
    REGISTERED,
    ever_registered,
    expired_registrations,
    suspended_registrations,
)
from shared.router import Router

router = Router()
for part in (registering.router, deciding.router, reminding.router, again.router, identity.router, keys.router):
    router.include(part)

router.vouches(REGISTERED, ever_registered)
router.vouches("suspended", suspended_registrations)
router.vouches("expired", expired_registrations)
