"""What certificates reacts to, by phase of a certificate's life."""

from services.certificates import store
from services.certificates.handlers import again, deciding, drafting, exporters, issuing, products
from shared.router import Router

router = Router()
for part in (products.router, drafting.router, deciding.router, issuing.router, exporters.router, again.router):
    router.include(part)

router.vouches("exporters", store.known_exporters)
router.vouches("suspended", store.suspended_exporters)
router.vouches("expired", store.expired_exporters)
router.vouches("submitted", store.submitted)
router.vouches("settled", store.settled)
router.vouches("issued", store.issued)
router.vouches("numbered", store.numbered)
