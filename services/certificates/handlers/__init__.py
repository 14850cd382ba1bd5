"""What certificates reacts to, by phase of a certificate's life."""

from services.certificates import store
from services.certificates.handlers import again, agents, deciding, drafting, exporters, issuing, products
from shared.handling.router import Router

router = Router()
for part in (products, drafting, deciding, issuing, exporters, agents, again):
    router.include(part.router)

router.fact("exporters", store.known_exporters)
router.fact("suspended", store.suspended_exporters)
router.fact("expired", store.expired_exporters)
router.fact("mandated", store.known_mandates)
router.fact("submitted", store.submitted)
router.fact("settled", store.settled)
router.fact("issued", store.issued)
router.fact("numbered", store.numbered)
