"""What certificates reacts to, by phase of a certificate's life."""

from services.certificates import store
from services.certificates.handlers import again, agents, deciding, drafting, exporters, issuing, products
from shared.handling.router import Router

router = Router()
for part in (products, drafting, deciding, issuing, exporters, agents, again):
    router.include(part.router)

router.vouches("exporters", store.known_exporters)
router.vouches("suspended", store.suspended_exporters)
router.vouches("expired", store.expired_exporters)
router.vouches("mandated", store.known_mandates)
router.vouches("submitted", store.submitted)
router.vouches("settled", store.settled)
router.vouches("issued", store.issued)
router.vouches("numbered", store.numbered)
