"""The handlers of registry, room by room, and the facts that the consistency check compares with other services."""

from services.registry.companies import (
    applying,
    colleagues,
    deciding,
    documents,
    expiring,
    importing,
    listing,
    places,
    profiles,
)
from services.registry.companies import recovering as recovering_companies
from services.registry.companies import store as companies
from services.registry.identity import (
    invitations,
    passkeys,
    passwords,
    second_factor,
    sessions,
    signing_in,
    signing_keys,
    users,
)
from services.registry.mail import sending
from services.registry.mandates import acting, granting
from services.registry.mandates import recovering as recovering_mandates
from services.registry.mandates import store as mandates
from shared.handling.router import Router

router = Router()
for part in (applying, documents, deciding, importing, expiring, colleagues, listing, places, profiles, recovering_companies):
    router.include(part.router)
for part in (users, invitations, passwords, signing_in, second_factor, passkeys, sessions, signing_keys):
    router.include(part.router)
for part in (granting, acting, recovering_mandates, sending):
    router.include(part.router)

router.fact(companies.REGISTERED, companies.ever_registered)
router.fact("suspended", companies.suspended_registrations)
router.fact("expired", companies.expired_registrations)
router.fact("mandated", mandates.once_granted)
