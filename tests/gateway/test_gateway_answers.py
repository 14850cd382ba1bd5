"""Answers of partners: only a partner's signed receipt for the sent message is accepted."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import Certificate

from services.gateway.wire.exchange import Exchange
from services.gateway.wire.messages import Acknowledgement, Document, Kind, Receipt
from services.gateway.wire.opening import Opener
from services.gateway.wire.partners import Partners
from services.gateway.wire.signature import Signer
from services.gateway.wire.tls import Connections
from services.gateway.wire.xml import write_message
from shared.refusals import Unavailable

from .builders import MAX_BYTES, NOON, PROCESSES, TwoGateways, a_documented_certificate, a_form, a_partner, a_signer, an_answer

UNTRUSTED = "cannot be trusted"


@pytest.mark.parametrize(
    ("status", "body", "because"),
    [
        (500, b"", "answered 500"),
        (503, b"", "answered 503"),
        (429, b"", "answered 429"),
        (403, b"{}", "answered 403"),
        (200, b"", UNTRUSTED),
        (200, b"<html>Welcome</html>", UNTRUSTED),
        (200, b"x" * (MAX_BYTES + 1), "answered with more than"),
    ],
)
async def test_an_answer_that_is_not_a_receipt_is_not_accepted(
    gateways: TwoGateways, status: int, body: bytes, because: str
) -> None:
    event = a_documented_certificate()
    gateways.kh.links["VN"].answers = [an_answer(status, body)]
    await gateways.kh.receive(event)
    await gateways.kh.run_due_tasks()
    assert because in ((await gateways.kh.state(event.certificate_id)).waits_because or "")
    assert await gateways.kh.codes() == ["AS1"]
    await gateways.run_until_idle()
    assert await gateways.kh.codes() == ["AS1", "AS2", "REC"]


@pytest.mark.parametrize(
    "forgery", ["signed by another", "for another message", "of another number", "a mirror", "not a receipt"]
)
async def test_a_forged_receipt_is_not_accepted(gateways: TwoGateways, signers: dict[str, Signer], forgery: str) -> None:
    event = a_documented_certificate()
    await gateways.kh.receive(event)
    gateways.kh.links["VN"].down = True
    await gateways.kh.run_due_tasks()

    gateways.kh.links["VN"].down = False
    gateways.kh.links["VN"].lost_answers = 1
    await gateways.kh.run_due_tasks()
    sent = (await gateways.vn.exchange.opened(gateways.kh.links["VN"].sent[-1][0])).envelope
    envelope = sent.answered(NOON)
    receipt = Receipt(in_reply_to=uuid4() if forgery == "for another message" else sent.message_id, received_at=NOON)
    signer = signers["KH"] if forgery == "signed by another" else signers["VN"]
    if forgery == "of another number":
        envelope = envelope.model_copy(update={"number": 2})
    forged = signer.sign(write_message(envelope, receipt))
    if forgery == "a mirror":
        forged = gateways.kh.links["VN"].sent[-1][0]
    if forgery == "not a receipt":
        envelope = envelope.model_copy(update={"kind": Kind.ACKNOWLEDGEMENT})
        forged = signer.sign(write_message(envelope, Acknowledgement(available_at=NOON, received_at=NOON)))
    gateways.kh.links["VN"].answers = [an_answer(200, forged)]
    await gateways.kh.run_due_tasks()

    assert await gateways.kh.codes() == ["AS1"]
    assert (await gateways.kh.state(event.certificate_id)).waits_because


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[int, Certificate]]:
    """The port of a server with TLS, and its certificate."""
    server_signer = a_signer("127.0.0.1", address="127.0.0.1")
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_bytes(server_signer.certificate.public_bytes(Encoding.PEM))
    key.write_bytes(server_signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, server_signer.certificate
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(("trusted", "because"), [(True, "answered 404"), (False, r"cannot be reached \(ConnectError\)")])
async def test_only_the_pinned_certificate_of_a_partner_is_accepted(
    tls_server: tuple[int, Certificate], signers: dict[str, Signer], trusted: bool, because: str
) -> None:
    port, certificate = tls_server
    pinned = certificate if trusted else a_signer("other", address="127.0.0.1").certificate
    partner = a_partner("VN", signers["VN"], address=f"https://127.0.0.1:{port}/asw/messages", tls_certificates=(pinned,))
    connections = Connections(None, None)
    exchange = Exchange("KH", Partners({"VN": partner}), signers["KH"], connections, MAX_BYTES, opener=Opener(PROCESSES))
    envelope = exchange.envelope(uuid4(), Kind.DOCUMENT, "VN", "D2026-PNH-000123", 1, NOON)
    with pytest.raises(Unavailable, match=because):
        await exchange.send(envelope, Document(form=a_form()))
    await connections.aclose()
