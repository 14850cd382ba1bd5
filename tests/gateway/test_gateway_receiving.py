"""The HTTP address for partners: a genuine message gets a signed receipt, any other an error."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import func, select

from services.gateway.store import inbound_documents
from services.gateway.wire.messages import Document, Envelope, Kind, Receipt
from services.gateway.wire.signature import Signer
from services.gateway.wire.xml import write_message
from shared.observability import tracing
from shared.xml.documents import message_namespace

from .builders import MAX_BYTES, NOON, Gateway, TwoGateways, a_form, a_signer, with_certificate
from .test_gateway_wire import BOMB

XML = {"content-type": "application/xml; charset=utf-8"}
TRACE = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


def an_envelope(**changes: Any) -> Envelope:
    values = {
        "message_id": uuid4(),
        "kind": Kind.DOCUMENT,
        "sender": "KH",
        "receiver": "VN",
        "sent_at": datetime.now(UTC),
        "reference": "D2026-PNH-000123",
        "number": 1,
    }
    return Envelope(**values | changes)


def a_message(signer: Signer, **changes: Any) -> bytes:
    return signer.sign(write_message(an_envelope(**changes), Document(form=a_form())))


@pytest.fixture
async def partner(gateways: TwoGateways, signers: dict[str, Signer]) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the gateway of VN."""
    transport = httpx.ASGITransport(with_certificate(gateways.vn.app, signers["KH"]), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://vn.example") as client:
        yield client


async def kept_by(gateway: Gateway) -> int:
    async with gateway.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(inbound_documents)) or 0


async def post(partner: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await partner.post("/asw/messages", content=body, headers=XML | headers)


async def test_the_same_document_again_gets_the_same_receipt(
    gateways: TwoGateways, partner: httpx.AsyncClient, signers: dict[str, Signer]
) -> None:
    message_id = uuid4()
    first, second = [await post(partner, a_message(signers["KH"], message_id=message_id)) for _ in range(2)]
    receipts = []
    for answer in (first, second):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
        opened = await gateways.kh.exchange.opened(answer.content)
        receipts.append((opened.envelope.message_id, opened.envelope.reference, opened.content()))
    assert receipts[0] == receipts[1]
    receipt = receipts[0][2]
    assert isinstance(receipt, Receipt)
    assert (receipt.in_reply_to, receipt.reasons) == (message_id, ())
    assert await kept_by(gateways.vn) == 1


async def test_a_received_message_is_stored_unchanged(
    gateways: TwoGateways, partner: httpx.AsyncClient, signers: dict[str, Signer]
) -> None:
    message = a_message(signers["KH"])
    await post(partner, message)
    async with gateways.vn.database.reading() as session:
        assert await session.scalar(select(inbound_documents.c.message)) == message


async def test_a_document_that_is_not_complete_gets_a_rejecting_receipt(
    gateways: TwoGateways, partner: httpx.AsyncClient, signers: dict[str, Signer]
) -> None:
    root = write_message(an_envelope(), Document(form=a_form()))
    for element in root.iter("{*}IssueDate"):
        element.text = "yesterday"
    answer = await post(partner, signers["KH"].sign(root))
    receipt = (await gateways.kh.exchange.opened(answer.content)).content()
    assert isinstance(receipt, Receipt)
    assert [reason.code for reason in receipt.reasons] == ["document_unreadable"]
    assert "Document.EFormD.IssueDate (not allowed)" in receipt.reasons[0].detail
    assert await kept_by(gateways.vn) == 0


async def test_a_message_that_is_not_genuine_is_refused_with_a_code(
    gateways: TwoGateways, partner: httpx.AsyncClient, signers: dict[str, Signer]
) -> None:
    genuine = signers["KH"]
    changed = a_message(genuine).replace(b"Cat Lai", b"Cat Loi")
    unsigned = write_message(an_envelope(), Document(form=a_form()))
    no_reference = write_message(an_envelope(), Document(form=a_form()))
    no_reference.remove(no_reference.find(f"{{{message_namespace(2)}}}Reference"))
    unknown_kind = write_message(an_envelope(), Document(form=a_form()))
    unknown_kind.find(f"{{{message_namespace(2)}}}Kind").text = "Poem"
    receipt = write_message(an_envelope(kind=Kind.RECEIPT), Receipt(in_reply_to=uuid4(), received_at=NOON))
    no_signature = genuine.sign(unsigned).split(b"<ds:Signature")[0] + b"</Message>"
    for body, status, code in (
        (changed, 403, "signature_not_valid"),
        (no_signature, 403, "signature_not_valid"),
        (a_message(a_signer("KH")), 403, "signature_not_valid"),
        (a_message(signers["VN"], sender="KH"), 403, "signature_not_valid"),
        (a_message(genuine, sender="TH"), 403, "sender_unknown"),
        (a_message(genuine, sender="VN", receiver="VN"), 403, "sender_unknown"),
        (a_message(genuine, receiver="TH"), 400, "receiver_is_another"),
        (genuine.sign(no_reference), 400, "envelope_not_readable"),
        (genuine.sign(unknown_kind), 400, "envelope_not_readable"),
        (genuine.sign(receipt), 400, "kind_not_expected"),
        (BOMB, 400, "xml_not_readable"),
        (b"<a/>", 403, "sender_unknown"),
        (b"", 400, "xml_not_readable"),
        (b" " * (MAX_BYTES + 1), 413, "message_too_long"),
    ):
        answer = await post(partner, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert set(answer.json()) == {"code", "detail"}
        assert len(answer.text) < 300
        assert "Traceback" not in answer.text
    assert await kept_by(gateways.vn) == 0


async def test_only_xml_is_accepted_and_only_by_post(partner: httpx.AsyncClient, signers: dict[str, Signer]) -> None:
    answer = await partner.post("/asw/messages", json={"hello": "world"})
    assert (answer.status_code, answer.json()["code"]) == (415, "content_type_not_xml")
    assert (await partner.get("/asw/messages")).status_code == 405


async def test_a_message_that_is_too_long_is_not_read_completely(partner: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while read < 100 * MAX_BYTES:
            read += 64 * 1024
            yield b" " * (64 * 1024)

    answer = await partner.post("/asw/messages", content=endless(), headers=XML)
    assert answer.status_code == 413
    assert read < 3 * MAX_BYTES


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "tracer", provider.get_tracer("test"))
    return exporter


def trace_of(finished: ReadableSpan) -> str:
    return f"{finished.context.trace_id:032x}"


async def test_the_trace_of_a_trusted_partner_is_continued(
    partner: httpx.AsyncClient, signers: dict[str, Signer], spans: InMemorySpanExporter
) -> None:
    await post(partner, a_message(signers["KH"]), traceparent=TRACE)
    (finished,) = spans.get_finished_spans()
    assert (finished.name, trace_of(finished)) == ("receive Document", "ab" * 16)


async def test_the_trace_of_another_partner_is_ignored(
    gateways_without_trust: TwoGateways, signers: dict[str, Signer], spans: InMemorySpanExporter
) -> None:
    transport = httpx.ASGITransport(with_certificate(gateways_without_trust.vn.app, signers["KH"]))
    async with httpx.AsyncClient(transport=transport, base_url="https://vn.example") as client:
        await post(client, a_message(signers["KH"]), traceparent=TRACE)
    (finished,) = spans.get_finished_spans()
    assert trace_of(finished) != "ab" * 16
