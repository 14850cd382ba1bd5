"""What registry reacts to: registrations, identity, and the keys that tokens are signed with."""

from services.registry.handlers import identity, keys, registering
from services.registry.store.registrations import active_registrations
from shared.router import Router

router = Router()
for part in (registering.router, identity.router, keys.router):
    router.include(part)

router.vouches("registered", active_registrations)
