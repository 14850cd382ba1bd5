"""Ends before the issue: withdrawn, discarded, rejected with codes. Others learn every change of status."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.certificates.handlers import router
from shared.contracts.certificates.issuing import (
    CertificateStatusChanged,
    RejectCertificate,
    ReturnCertificate,
    ReviseCertificate,
    SubmitCertificate,
)
from shared.contracts.certificates.withdrawing import (
    CertificateClosed,
    DiscardCertificate,
    ListRejectionReasons,
    WithdrawCertificate,
)
from shared.contracts.registry.registrations import RegistrationReinstated
from tests.certificates.test_agents import Forwarder
from tests.certificates.test_handlers import REVIEWER, STRANGER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person


async def closings(service: ServiceUnderTest) -> list[tuple[str, int]]:
    return [(each.status, each.submission) for each in await service.announced(CertificateClosed)]


async def test_a_withdrawn_certificate_is_submitted_again_and_fees_learn_both(
    service: ServiceUnderTest, trader: Trader
) -> None:
    certificate_id = (await trader.submit()).certificate_id
    withdrawn = await service.ask(WithdrawCertificate(certificate_id=certificate_id), trader.person)
    assert (withdrawn.status, withdrawn.waits_for) == ("withdrawn", ("submission",))
    await service.ask(ReviseCertificate(certificate_id=certificate_id, consignment=trader.consignment()), trader.person)
    assert (await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)).status == "submitted"
    await service.ask(WithdrawCertificate(certificate_id=certificate_id), trader.person)
    await service.ask(DiscardCertificate(certificate_id=certificate_id), trader.person)

    assert await closings(service) == [("withdrawn", 1), ("withdrawn", 2), ("discarded", 2)]
    statuses = [(each.status, each.version) for each in await service.announced(CertificateStatusChanged)]
    assert statuses == [("submitted", 2), ("withdrawn", 3), ("submitted", 5), ("withdrawn", 6), ("discarded", 7)]


async def test_a_draft_is_discarded_without_a_word_to_fees(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = (await trader.draft()).certificate_id
    assert await service.announced() == []
    assert (await service.ask(DiscardCertificate(certificate_id=certificate_id), trader.person)).status == "discarded"
    (changed,) = await service.announced()
    assert changed.model_dump(exclude={"occurred_at", "certificate_id"}) == {
        "version": 2, "office": "PNH", "destination": "VN", "status": "discarded", "submission": 0
    }  # fmt: skip


async def test_only_the_exporter_and_its_agent_withdraw_or_discard(service: ServiceUnderTest, trader: Trader) -> None:
    forwarder = Forwarder(service, trader, uuid4(), uuid4())
    await forwarder.registered()
    await forwarder.granted()
    certificate_id = (await trader.submit()).certificate_id
    preparer = a_person("preparer", organisation=trader.exporter_id)
    for person, withdrawal, discard in (
        (STRANGER, "not_yours", "not_yours"),
        (REVIEWER, "role_required", "role_required"),
        (preparer, "role_required", "certificate_not_allowed_now"),
        (forwarder.person(), "certificate_begun_by_another", "certificate_begun_by_another"),
    ):
        assert (await service.ask(WithdrawCertificate(certificate_id=certificate_id), person)).code == withdrawal
        assert (await service.ask(DiscardCertificate(certificate_id=certificate_id), person)).code == discard
    draft = trader.a_draft()
    await service.ask(draft, forwarder.person())
    discarded = await service.ask(DiscardCertificate(certificate_id=draft.certificate_id), forwarder.person())
    assert discarded.status == "discarded"


async def test_the_status_is_announced_also_at_the_issue_and_again_after_a_loss(
    service: ServiceUnderTest, trader: Trader
) -> None:
    certificate_id = (await trader.submit()).certificate_id
    await trader.approve(certificate_id)
    await trader.settle(certificate_id)
    issued_at = service.clock.now()
    await service.do_tasks()

    before = await service.announced(CertificateStatusChanged)
    assert [each.status for each in before] == ["submitted", "reviewed", "approved", "issued"]
    service.clock.instant += timedelta(days=1)
    await announce_again(service, "certificate-status", certificate_id)
    assert (await service.announced(CertificateStatusChanged))[-1] == before[-1]
    assert before[-1].occurred_at == issued_at


async def announce_again(service: ServiceUnderTest, noun: str, certificate_id: UUID) -> None:
    _, announce = router.reannouncing[noun]
    async with service.work() as work:
        await announce(certificate_id, work)


async def test_a_closed_submission_is_announced_again_after_a_loss(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = (await trader.submit()).certificate_id
    await announce_again(service, "certificate", certificate_id)
    assert await closings(service) == []
    await service.ask(RejectCertificate(certificate_id=certificate_id, reason="No."), REVIEWER)
    await announce_again(service, "certificate", certificate_id)
    assert await closings(service) == [("rejected", 1), ("rejected", 1)]


async def test_a_held_certificate_is_rejected_with_codes_and_never_issued(service: ServiceUnderTest) -> None:
    trader = await Trader(service).begin(valid_until=date(2026, 11, 23))
    certificate_id = (await trader.submit()).certificate_id
    await trader.approve(certificate_id)
    rejection: dict[str, Any] = {"certificate_id": certificate_id, "reason": "Not registered.", "codes": ("not_entitled",)}
    assert (await service.ask(RejectCertificate(**rejection), REVIEWER)).code == "certificate_not_allowed_now"
    service.clock.instant += timedelta(days=1)
    await trader.settle(certificate_id)
    await service.do_tasks()

    rejected = await service.ask(RejectCertificate(**rejection), REVIEWER)
    assert (rejected.status, rejected.reasons, rejected.waits_for) == ("rejected", ("not_entitled",), ())
    assert await closings(service) == [("rejected", 1)]
    await service.receive(trader.approval(date(2027, 11, 23), version=3))
    reinstated = RegistrationReinstated(exporter_id=trader.exporter_id, version=4, occurred_at=service.clock.now())
    await service.receive(reinstated)
    await service.do_tasks()
    assert (await trader.state(certificate_id)).status == "rejected"


async def test_the_known_reasons_are_listed_and_others_refused(service: ServiceUnderTest, trader: Trader) -> None:
    certificate_id = (await trader.submit()).certificate_id
    reasons = (await service.ask(ListRejectionReasons(), STRANGER)).reasons
    assert "goods_do_not_originate" in {reason.code for reason in reasons}
    refused = await service.ask(
        RejectCertificate(certificate_id=certificate_id, reason="No.", codes=("wrong_form", "bad_mood")), REVIEWER
    )
    assert (refused.code, refused.fields) == ("rejection_reason_unknown", ("codes.1",))
    assert (await trader.state(certificate_id)).status == "submitted"


@pytest.mark.parametrize(
    ("box", "code"), [({"box": 7, "item": 2}, "item_unknown"), ({"box": 2, "item": 1}, "box_without_items"), ({"box": 7}, None)]
)
async def test_remarks_on_boxes_reach_the_exporter(
    service: ServiceUnderTest, trader: Trader, box: dict[str, Any], code: str | None
) -> None:
    certificate_id = (await trader.submit()).certificate_id
    remark = {"text": "ឈ្មោះ <b>មិន</b>ត្រឹមត្រូវ", **box}
    answer = await service.ask(ReturnCertificate(certificate_id=certificate_id, remarks="Box 7.", boxes=(remark,)), REVIEWER)
    assert getattr(answer, "code", None) == code
    state = await trader.state(certificate_id)
    if code:
        assert (state.status, state.box_remarks) == ("submitted", ())
        return
    assert [each.model_dump() for each in state.box_remarks] == [{"item": None, **remark}]
    again = await service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    assert (again.remarks, again.box_remarks) == (None, ())
