"""The public page of a cancelled certificate, and of one that another certificate replaces."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from shared.contracts.certificates.cancelling import CertificateCancelled

from .conftest import A_JOURNEY, CERTIFICATE, REFERENCE, Tracking, a_step

NEW = "D2026-PNH-000124"


def cancelled(**changes: Any) -> CertificateCancelled:
    values: dict[str, Any] = {
        "certificate_id": CERTIFICATE,
        "reference": REFERENCE,
        "destination": "VN",
        "reason": "issued_in_error",
        "detail": "The certificate was issued in error.",
        "version": 8,
        "occurred_at": datetime(2026, 3, 3, 5, 0, tzinfo=UTC),
    }
    return CertificateCancelled(**values | changes)


async def test_a_certificate_that_was_not_cancelled_says_so_in_json(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY)
    assert (await tracking.json()).json()["cancelled"] is None


async def test_the_reason_of_a_cancellation_is_public(tracking: Tracking) -> None:
    await tracking.receive(*A_JOURNEY, cancelled(), a_step("CAN", 4, country="KH", reasons=["issued_in_error"]))
    shown = (await tracking.json()).json()
    assert shown["status"] == "CAN"
    assert shown["contact"] is None
    assert shown["cancelled"] == {
        "at": "2026-03-03T05:00:00Z",
        "reason": {
            "code": "issued_in_error",
            "en": "The certificate was issued in error.",
            "km": "វិញ្ញាបនបត្រត្រូវបានចេញដោយកំហុស។",
        },
        "replaced_by": None,
    }


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", ("Cancelled", "This certificate replaces it:")), ("km", ("ត្រូវបានលុបចោល", "វិញ្ញាបនបត្រដែលជំនួសវា៖"))],
)
async def test_the_page_leads_to_the_certificate_that_replaces_it(
    tracking: Tracking, language: str, expected: tuple[str, ...]
) -> None:
    await tracking.receive(*A_JOURNEY, cancelled(reason="replaced", replaced_by=NEW))
    page = (await tracking.page(language=language)).text
    for text in (*expected, f'href="/certificates/{NEW}"'):
        assert text in page
    assert "The importer can claim" not in page


async def test_a_cancellation_in_any_order_is_shown(tracking: Tracking) -> None:
    events = (A_JOURNEY[0], cancelled(), a_step("AS1", 1))
    for order in permutations(events):
        await tracking.receive(*order)
        assert (await tracking.json()).json()["cancelled"]["reason"]["code"] == "issued_in_error"
