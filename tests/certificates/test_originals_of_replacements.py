"""A back-to-back certificate that is cancelled releases its originals; one that replaces it uses the same quantities."""

import pytest

from shared.contracts.certificates.issuing import DraftCertificate, SubmitCertificate
from shared.contracts.certificates.originals import GetOriginal
from shared.contracts.certificates.withdrawing import WithdrawCertificate
from tests.certificates.test_cancelling import a_cancellation, a_replacement, issued
from tests.certificates.test_handlers import APPROVER, REVIEWER, Trader
from tests.certificates.test_originals import ORIGINAL, items, receive, remaining
from tests.support.service_under_test import ServiceUnderTest


def drafted(trader: Trader, *quantities: str) -> DraftCertificate:
    """A draft whose items the original covers."""
    return trader.a_draft(items=items(trader, *quantities))


async def test_a_cancelled_certificate_releases_what_it_has_used(service: ServiceUnderTest, trader: Trader) -> None:
    await receive(service)
    certificate = await issued(trader, drafted(trader, "5000"))
    assert await remaining(service) == 3000
    await service.ask(a_cancellation(certificate.certificate_id), APPROVER)
    assert await remaining(service) == 8000


@pytest.mark.parametrize(("quantity", "reserved", "left"), [("5000", 3000, 3000), ("7000", 1000, 1000), ("1000", 3000, 7000)])
async def test_a_replacement_reserves_only_what_it_needs_beyond_the_former_certificate(
    service: ServiceUnderTest, trader: Trader, quantity: str, reserved: int, left: int
) -> None:
    await receive(service)
    former = await issued(trader, drafted(trader, "3000", "2000"))
    draft = drafted(trader, quantity).model_copy(update={"replaces": former.certificate_id})
    await service.ask(draft, trader.person)
    await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), trader.person)
    assert await remaining(service) == reserved

    await trader.settle(draft.certificate_id)
    await trader.approve(draft.certificate_id)
    await service.do_tasks()

    assert [(await trader.state(each.certificate_id)).status for each in (former, draft)] == ["cancelled", "issued"]
    assert await remaining(service) == left
    (use,) = (await service.ask(GetOriginal(**ORIGINAL), REVIEWER)).uses
    assert (use.certificate_id, use.quantity, use.final) == (draft.certificate_id, int(quantity), True)


async def test_a_withdrawn_replacement_releases_only_what_it_has_taken_itself(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await receive(service)
    former = await issued(trader, drafted(trader, "5000"))
    draft = drafted(trader, "7000").model_copy(update={"replaces": former.certificate_id})
    await service.ask(draft, trader.person)
    await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), trader.person)
    assert await remaining(service) == 1000
    await service.ask(WithdrawCertificate(certificate_id=draft.certificate_id), trader.person)
    assert await remaining(service) == 3000


async def test_a_replacement_cannot_take_more_than_the_former_and_the_rest_together(
    service: ServiceUnderTest, trader: Trader
) -> None:
    await receive(service)
    former = await issued(trader, drafted(trader, "5000"))
    draft = a_replacement(trader, former.certificate_id).model_copy(
        update={"consignment": drafted(trader, "8000.5").consignment}
    )
    await service.ask(draft, trader.person)
    refused = await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), trader.person)
    assert (refused.code, refused.values["remaining"]) == ("original_exceeded", "8000")
    assert await remaining(service) == 3000
