"""What registry reacts to: registrations, identity, and the keys that tokens are signed with."""

from services.registry.handlers import (
    accounts,
    keys,
    letters,
    passwords,
    registering,
    second_factor,
    sessions,
    signing_in,
)
from services.registry.store.registrations import active_registrations
from shared.router import Router

router = Router()
for part in (registering, accounts, letters, passwords, signing_in, second_factor, sessions, keys):
    router.include(part.router)

router.vouches("registered", active_registrations)
