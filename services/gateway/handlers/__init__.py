"""The handlers of the gateway: sending documents and messages, decisions of customs, observing partners, and lists.

`outages`, `contingencies` and `ledger` are those of the partner ledger.
"""

from services.gateway import store
from services.gateway.handlers import (
    cancelling,
    contingencies,
    deciding,
    declaring,
    ledger,
    lists,
    messages,
    observing,
    originals,
    outages,
    partners,
    retransmission,
    sending,
    transmissions,
    verifying,
)
from shared.contracts.gateway.transmissions import StatusCode
from shared.handling.router import Router

router = Router()
PARTS = (
    sending,
    cancelling,
    declaring,
    transmissions,
    observing,
    deciding,
    messages,
    retransmission,
    verifying,
    lists,
    partners,
    originals,
    outages,
    contingencies,
    ledger,
)
for part in PARTS:
    router.include(part.router)

router.fact("first_sent", store.first_sent)
router.fact("numbered", store.references)
router.fact("transmitted", store.certificates_at(StatusCode.AS1))
router.fact("received", store.certificates_at(StatusCode.REC))
router.fact("rejected", store.certificates_at(StatusCode.NOT))
router.fact("decided_by_customs", store.decided_documents)
router.fact("originals", store.originals)
