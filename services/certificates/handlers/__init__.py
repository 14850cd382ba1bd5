"""The handlers of certificates, one module for each noun or phase of a certificate."""

from services.certificates.handlers import (
    agents,
    assigning,
    cancelling,
    certified,
    content,
    costs,
    deciding,
    drafting,
    exporters,
    forms,
    importing,
    issuing,
    listing,
    messages,
    nomenclature,
    origin,
    originals,
    printing,
    products,
    recovering,
    sealing,
    withdrawing,
)
from services.certificates.store import certificates, documents
from services.certificates.store import certified as register
from services.certificates.store import exporters as known
from services.certificates.store.originals import received_originals
from shared.handling.router import Router

router = Router()
for part in (
    products,
    costs,
    drafting,
    withdrawing,
    assigning,
    deciding,
    issuing,
    cancelling,
    sealing,
    printing,
    content,
    messages,
    listing,
    exporters,
    agents,
    originals,
    nomenclature,
    forms,
    origin,
    importing,
    certified,
    recovering,
):
    router.include(part.router)

router.fact("exporters", known.known_exporters)
router.fact("suspended", known.suspended_exporters)
router.fact("expired", known.expired_exporters)
router.fact("mandated", known.known_mandates)
router.fact("submitted", certificates.submitted)
router.fact("settled", certificates.settled)
router.fact("issued", documents.issued)
router.fact("numbered", documents.numbered)
router.fact("exchanged", documents.exchanged)
router.fact("exchanged_numbers", documents.exchanged_numbers)
router.fact("originals", received_originals)
router.fact("certified_exporters", register.codes)
router.at_start(certificates.keep_recent_names)
