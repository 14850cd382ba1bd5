"""An issued certificate is cancelled, or replaced by another one."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contracts.certificates.cancelling import (
    CancelCertificate,
    CertificateCancelled,
    ListCancellationReasons,
)
from shared.contracts.certificates.content import GetCertificateHistory
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.certificates.issuing import (
    CertificateState,
    CertificateStatus,
    CertificateStatusChanged,
    DraftCertificate,
    SubmitCertificate,
)
from shared.contracts.certificates.withdrawing import DiscardCertificate
from tests.certificates.test_handlers import APPROVER, REVIEWER, Trader
from tests.support.service_under_test import ServiceUnderTest, a_person


async def issued(trader: Trader, draft: DraftCertificate | None = None) -> CertificateState:
    """A certificate that is issued."""
    state = await trader.service.ask(draft or trader.a_draft(), trader.person)
    await trader.service.ask(SubmitCertificate(certificate_id=state.certificate_id), trader.person)
    await trader.settle(state.certificate_id)
    await trader.approve(state.certificate_id)
    await trader.service.do_tasks()
    return await trader.state(state.certificate_id)


def a_cancellation(certificate_id: UUID, **changes: Any) -> CancelCertificate:
    values: dict[str, Any] = {"reason": "requested_by_exporter", "remarks": "The buyer has cancelled the order."}
    return CancelCertificate(certificate_id=certificate_id, **values | changes)


def a_replacement(trader: Trader, former: UUID) -> DraftCertificate:
    return trader.a_draft().model_copy(update={"certificate_id": uuid4(), "replaces": former})


async def test_a_cancelled_certificate_is_announced_with_its_public_reason_only(
    service: ServiceUnderTest, trader: Trader
) -> None:
    certificate = await issued(trader)

    state = await service.ask(a_cancellation(certificate.certificate_id, version=certificate.version), APPROVER)

    assert (state.status, state.cancelled_because) == (CertificateStatus.CANCELLED, "requested_by_exporter")
    assert state.cancelled_on == service.clock.today()
    (event,) = await service.announced(CertificateCancelled)
    assert (event.reference, event.reason, event.replaced_by) == (certificate.reference, "requested_by_exporter", None)
    assert event.detail == "The exporter has asked for the cancellation."
    assert "buyer" not in event.model_dump_json()
    statuses = [each.status for each in await service.announced(CertificateStatusChanged)]
    assert statuses[-2:] == ["issued", "cancelled"]
    history = await service.ask(GetCertificateHistory(certificate_id=certificate.certificate_id), trader.person)
    assert (history.acts[0].act, history.acts[0].remarks) == ("cancel", "The buyer has cancelled the order.")


@pytest.mark.parametrize(
    ("person", "changes", "code"),
    [
        (a_person("approver", organisation="SVR"), {}, "other_office"),
        (APPROVER, {"version": 1}, "certificate_changed"),
        (APPROVER, {"reason": "replaced"}, "cancellation_reason_unknown"),
        (REVIEWER, {}, "role_required"),
    ],
)
async def test_who_cannot_cancel_or_gives_no_reason_is_refused(
    service: ServiceUnderTest, trader: Trader, person: Any, changes: Any, code: str
) -> None:
    certificate = await issued(trader)
    assert (await service.ask(a_cancellation(certificate.certificate_id, **changes), person)).code == code
    assert (await trader.state(certificate.certificate_id)).status == "issued"


async def test_only_an_issued_certificate_is_cancelled_and_only_once(service: ServiceUnderTest, trader: Trader) -> None:
    submitted = await trader.submit()
    assert (await service.ask(a_cancellation(submitted.certificate_id), APPROVER)).code == "certificate_not_allowed_now"
    certificate = await issued(trader)
    await service.ask(a_cancellation(certificate.certificate_id), APPROVER)
    assert (await service.ask(a_cancellation(certificate.certificate_id), APPROVER)).code == "certificate_not_allowed_now"
    assert len(await service.announced(CertificateCancelled)) == 1


async def test_the_former_certificate_is_cancelled_when_the_new_one_is_issued(
    service: ServiceUnderTest, trader: Trader
) -> None:
    former = await issued(trader)
    draft = a_replacement(trader, former.certificate_id)
    drafted = await service.ask(draft, trader.person)
    assert drafted.replaces.reference == former.reference
    assert (await trader.state(former.certificate_id)).status == "issued"

    await service.ask(SubmitCertificate(certificate_id=draft.certificate_id), trader.person)
    await trader.settle(draft.certificate_id)
    await trader.approve(draft.certificate_id)
    await service.do_tasks()

    new, old = await trader.state(draft.certificate_id), await trader.state(former.certificate_id)
    assert (new.status, old.status, old.cancelled_because) == ("issued", "cancelled", "replaced")
    assert (old.replaced_by.certificate_id, old.replaced_by.reference) == (new.certificate_id, new.reference)
    assert (new.replaces.certificate_id, new.replaces.reference) == (old.certificate_id, old.reference)
    assert (await service.announced(CertificateDocumented))[-1].document.replaces == former.reference
    (event,) = await service.announced(CertificateCancelled)
    assert (event.certificate_id, event.reason, event.replaced_by) == (old.certificate_id, "replaced", new.reference)
    assert event.detail == f"Replaced by {new.reference}."


async def test_one_replacement_at_a_time(service: ServiceUnderTest, trader: Trader) -> None:
    former = await issued(trader)
    first = await service.ask(a_replacement(trader, former.certificate_id), trader.person)
    refused = await service.ask(a_replacement(trader, former.certificate_id), trader.person)
    assert (refused.code, refused.fields) == ("replacement_under_way", ("replaces",))
    assert former.reference in refused.detail

    await service.ask(DiscardCertificate(certificate_id=first.certificate_id), trader.person)
    assert (await service.ask(a_replacement(trader, former.certificate_id), trader.person)).status == "draft"


async def test_only_an_issued_certificate_of_the_same_exporter_is_replaced(service: ServiceUnderTest, trader: Trader) -> None:
    draft = await trader.draft()
    assert (await service.ask(a_replacement(trader, draft.certificate_id), trader.person)).code == "certificate_not_replaceable"
    other = await Trader(service).begin()
    foreign = await issued(other)
    assert (await service.ask(a_replacement(trader, foreign.certificate_id), trader.person)).code == "not_yours"
    assert (await service.ask(a_replacement(trader, uuid4()), trader.person)).code == "certificate_not_found"


async def test_a_replacement_of_a_certificate_that_was_cancelled_meanwhile_is_held(
    service: ServiceUnderTest, trader: Trader
) -> None:
    former = await issued(trader)
    draft = a_replacement(trader, former.certificate_id)
    await service.ask(draft, trader.person)
    await service.ask(a_cancellation(former.certificate_id), APPROVER)

    new = await issued_after(trader, draft.certificate_id)

    assert (new.status, new.waits_for) == ("approved", ("certificate_not_replaceable",))


async def issued_after(trader: Trader, certificate_id: UUID) -> CertificateState:
    await trader.service.ask(SubmitCertificate(certificate_id=certificate_id), trader.person)
    await trader.settle(certificate_id)
    await trader.approve(certificate_id)
    await trader.service.do_tasks()
    return await trader.state(certificate_id)


async def test_the_reasons_have_a_text_in_both_languages(service: ServiceUnderTest, trader: Trader) -> None:
    known = await service.ask(ListCancellationReasons(), trader.person)
    assert {"requested_by_exporter", "issued_in_error"} <= {each.code for each in known.reasons}
    assert all(set(each.text) == {"en", "km"} for each in known.reasons)
