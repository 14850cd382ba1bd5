"""What certificates reacts to, by phase of a certificate's life."""

from services.certificates import store
from services.certificates.handlers import again, deciding, drafting, issuing, products
from shared.router import Router

router = Router()
for part in (products.router, drafting.router, deciding.router, issuing.router, again.router):
    router.include(part)

router.vouches("exporters", store.known_exporters)
router.vouches("submitted", store.submitted)
router.vouches("settled", store.settled)
router.vouches("issued", store.issued)
router.vouches("numbered", store.numbered)
