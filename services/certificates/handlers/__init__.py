"""The handlers of certificates, one module for each phase of a certificate."""

from services.certificates import store
from services.certificates.handlers import agents, deciding, drafting, exporters, issuing, products, recovering
from shared.handling.router import Router

router = Router()
for part in (products, drafting, deciding, issuing, exporters, agents, recovering):
    router.include(part.router)

router.fact("exporters", store.known_exporters)
router.fact("suspended", store.suspended_exporters)
router.fact("expired", store.expired_exporters)
router.fact("mandated", store.known_mandates)
router.fact("submitted", store.submitted)
router.fact("settled", store.settled)
router.fact("issued", store.issued)
router.fact("numbered", store.numbered)
