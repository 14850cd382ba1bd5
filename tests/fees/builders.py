"""Submissions and payments with defaults, so that a test names only what matters to it."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from shared.contracts.certificates.issuing import CertificateSubmitted, SubmittedGoods
from shared.contracts.fees import RecordPayment
from tests.support.service_under_test import ServiceUnderTest, a_person

CASHIER = a_person("cashier")


def a_submission(service: ServiceUnderTest, certificate_id: UUID | None = None, **changes: Any) -> CertificateSubmitted:
    """A submitted certificate of 5,000 garments."""
    defaults: dict[str, Any] = {
        "certificate_id": certificate_id or uuid4(),
        "exporter_id": uuid4(),
        "office": "PNH",
        "form": "D",
        "submission": 1,
        "submitted_on": date(2026, 11, 23),
        "goods": [SubmittedGoods(hs_code="61091010", handicraft=False, quantity=Decimal(5000), unit="PCS")],
        "version": 2,
        "occurred_at": service.clock.now(),
    }
    return CertificateSubmitted(**defaults | changes)


async def submitted(service: ServiceUnderTest, certificate_id: UUID | None = None, **changes: Any) -> CertificateSubmitted:
    """A submitted certificate whose fee is assessed."""
    event = a_submission(service, certificate_id, **changes)
    await service.receive(event)
    return event


def a_payment(certificate_id: UUID, **changes: Any) -> RecordPayment:
    """The payment of its fee."""
    defaults: dict[str, Any] = {"amount_khr": 216_000, "slip_number": "ACLEDA-1", "paid_on": date(2026, 11, 23)}
    return RecordPayment(certificate_id=certificate_id, **defaults | changes)
