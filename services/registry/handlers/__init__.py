"""What registry reacts to: registrations, identity, mandates, and the keys that tokens are signed with."""

from services.registry.handlers import (
    accounts,
    acting,
    again,
    deciding,
    importing,
    keys,
    letters,
    mandates,
    passwords,
    registering,
    reminding,
    second_factor,
    sessions,
    signing_in,
)
from services.registry.store.mandates import once_granted
from services.registry.store.registrations import (
    REGISTERED,
    ever_registered,
    expired_registrations,
    suspended_registrations,
)
from shared.handling.router import Router

router = Router()
for part in (registering, deciding, importing, reminding, again):
    router.include(part.router)
for part in (accounts, letters, passwords, signing_in, second_factor, sessions, keys, mandates, acting):
    router.include(part.router)

router.fact(REGISTERED, ever_registered)
router.fact("suspended", suspended_registrations)
router.fact("expired", expired_registrations)
router.fact("mandated", once_granted)
