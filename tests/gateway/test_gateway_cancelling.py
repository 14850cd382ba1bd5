"""Cancelled and replaced certificates between two gateways, in any order."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from services.gateway.cancellations import CertificateIsCancelled, DocumentIsCancelled
from services.gateway.handlers import router
from services.gateway.wire.messages import Cancellation, Kind, Reason
from shared.contracts.certificates.cancelling import CertificateCancelled
from shared.contracts.certificates.documents import CertificateDocumented
from shared.contracts.gateway.received import DecideReceivedDocument, GetReceivedDocument, ListReceivedDocuments
from shared.contracts.gateway.transmissions import ResendTransmission
from tests.support.service_under_test import a_person

from .builders import Gateway, TwoGateways, a_documented_certificate, a_form, an_item

CUSTOMS, APPROVER = a_person("customs_officer", organisation="GDCE"), a_person("approver", organisation="PNH")


async def ask(gateway: Gateway, request: Any) -> Any:
    async with gateway.context.work(INVALID_SPAN) as work:
        work.act_as(APPROVER if isinstance(request, ResendTransmission) else CUSTOMS)
        return await router.requests[type(request)](request, work)


def cancelled(event: CertificateDocumented, replaced_by: str | None = None) -> CertificateCancelled:
    return CertificateCancelled(
        certificate_id=event.certificate_id,
        reference=event.document.reference,
        destination=event.document.destination,
        reason="replaced" if replaced_by else "issued_in_error",
        detail="The certificate was issued in error.",
        replaced_by=replaced_by,
        version=event.version + 1,
        occurred_at=datetime.now(UTC),
    )


async def receive(gateway: Gateway, event: CertificateCancelled) -> None:
    async with gateway.context.work(INVALID_SPAN) as work:
        await router.events[CertificateCancelled](event, work)


async def as_received(gateways: TwoGateways, reference: str) -> Any:
    return await ask(gateways.vn, GetReceivedDocument(origin="KH", reference=reference))


async def test_a_cancelled_certificate_is_not_valid_at_its_destination_either(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()

    await receive(gateways.kh, cancelled(event))
    await gateways.run_until_idle()

    assert await gateways.kh.codes() == ["AS1", "AS2", "REC", "CAN"]
    found = await as_received(gateways, event.document.reference)
    assert (found.code, found.cancelled_because, found.replaced_by) == ("CAN", "The certificate was issued in error.", None)
    (listed,) = (await ask(gateways.vn, ListReceivedDocuments())).documents
    assert listed.code == "CAN"
    with pytest.raises(DocumentIsCancelled):
        await ask(gateways.vn, DecideReceivedDocument(origin="KH", reference=event.document.reference))
    assert any(str(request[0], errors="replace").startswith('{"origin":"KH"') for request in gateways.vn.customs_link.sent)


async def test_a_document_that_waits_is_not_sent_after_its_cancellation(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    gateways.kh.links["VN"].down = True
    await gateways.kh.receive(event)
    await gateways.kh.run_due_tasks()
    await receive(gateways.kh, cancelled(event))
    await gateways.kh.run_due_tasks()
    gateways.kh.links["VN"].down = False
    await gateways.run_until_idle()

    assert await gateways.kh.codes() == ["AS1", "CAN"]
    assert (await ask(gateways.vn, ListReceivedDocuments())).documents == ()
    assert await gateways.kh.tasks_left() == []


async def test_a_cancellation_that_arrives_before_the_document_counts(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await receive(gateways.kh, cancelled(event))
    await gateways.kh.run_due_tasks()
    assert await gateways.kh.tasks_left() == ["cancel_transmission"]

    await gateways.kh.receive(event)
    await gateways.run_until_idle()

    assert (await gateways.kh.codes())[-1] == "CAN"
    assert await gateways.kh.tasks_left() == []


async def test_abroad_a_cancellation_before_its_document_counts(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    now = datetime.now(UTC)
    early = Cancellation(cancelled_at=now, reason=Reason(code="issued_in_error", detail="Issued in error."))
    exchange = gateways.kh.exchange
    envelope = exchange.envelope(uuid4(), Kind.CANCELLATION, "VN", event.document.reference, 1, now)
    assert (await exchange.send(envelope, early)).reasons == ()

    await gateways.kh.receive(event)
    await gateways.run_until_idle()

    assert await gateways.kh.codes() == ["AS1", "AS2"], "customs decide on nothing that is cancelled"
    assert (await as_received(gateways, event.document.reference)).code == "CAN"


async def test_a_cancellation_received_twice_is_one(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    gateways.kh.links["VN"].lost_answers = 1
    for _ in range(2):
        await receive(gateways.kh, cancelled(event))
        await gateways.run_until_idle()

    assert await gateways.kh.codes() == ["AS1", "AS2", "REC", "CAN"]
    informed = [body for body, _ in gateways.vn.customs_link.sent if body.startswith(b'{"origin"')]
    assert len(informed) == 1


async def test_what_customs_answer_after_the_cancellation_changes_nothing(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.kh.run_due_tasks()
    await receive(gateways.kh, cancelled(event))
    await gateways.kh.run_due_tasks()
    before = await gateways.kh.codes()

    await gateways.run_until_idle()

    assert before == await gateways.kh.codes() == ["AS1", "AS2", "CAN"]
    assert await gateways.vn.tasks_left() == []


async def test_another_country_cannot_cancel_a_certificate(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    now = datetime.now(UTC)
    forged = Cancellation(cancelled_at=now, reason=Reason(code="issued_in_error", detail="Issued in error."))
    exchange = gateways.vn.exchange
    envelope = exchange.envelope(uuid4(), Kind.CANCELLATION, "KH", event.document.reference, 1, now)
    await exchange.send(envelope, forged)

    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]
    assert (await as_received(gateways, event.document.reference)).code == "REC"


async def test_a_replacement_says_what_it_replaces(gateways: TwoGateways) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    new = a_documented_certificate(a_form(reference="D2026-PNH-000999", replaces=event.document.reference))
    await gateways.kh.receive(new)
    await receive(gateways.kh, cancelled(event, replaced_by=new.document.reference))
    await gateways.run_until_idle()

    found = await as_received(gateways, event.document.reference)
    assert (found.code, found.replaced_by) == ("CAN", "D2026-PNH-000999")
    assert (await as_received(gateways, "D2026-PNH-000999")).code == "REC"
    assert await codes_of(gateways.kh, new.certificate_id) == ["AS1", "AS2", "REC"]
    assert await codes_of(gateways.kh, event.certificate_id) == ["AS1", "AS2", "REC", "CAN"]


async def test_a_rejected_document_of_a_cancelled_certificate_is_not_sent_again(gateways: TwoGateways) -> None:
    event = a_documented_certificate(a_form(items=(an_item(hs_code="24021000"),)))
    await gateways.kh.receive(event)
    await gateways.run_until_idle()
    await receive(gateways.kh, cancelled(event))
    await gateways.run_until_idle()

    assert await gateways.kh.codes() == ["AS1", "AS2", "NOT"]
    with pytest.raises(CertificateIsCancelled):
        await ask(gateways.kh, ResendTransmission(certificate_id=event.certificate_id))


async def codes_of(gateway: Gateway, certificate_id: UUID) -> list[str]:
    return [str(event.code) for event in await gateway.announced() if event.certificate_id == certificate_id]
