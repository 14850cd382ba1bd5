"""Seals with a time stamp (RFC 3161) of a server."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper

from cli.seal_of_pdf import seal_of
from services.certificates.documents.orders import PageOrder
from services.certificates.documents.sealing import sealed_page
from shared.refusals import Unavailable
from tests.certificates.builders import page_texts
from tests.certificates.keys import SINCE, a_sealing, office_keys
from tests.gateway.builders import a_form
from tests.support.ports import free_ports
from tests.support.programs import program


@contextmanager
def a_time_stamp_server() -> Iterator[str]:
    """A server that stamps whatever it is sent."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Time stamps")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(SINCE)
        .not_valid_after(SINCE + timedelta(days=3650))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (loaded,) = load_certs_from_pemder_data(certificate.public_bytes(Encoding.PEM))
    stamper = DummyTimeStamper(loaded, load_private_key_from_pemder_data(pem, passphrase=None))

    class Stamps(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            wanted = tsp.TimeStampReq.load(self.rfile.read(int(self.headers["content-length"])))
            answer = asyncio.run(stamper.async_request_tsa_response(wanted)).dump()
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stamps)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sealed(url: str) -> bytes:
    page = PageOrder(
        page=page_texts(),
        document=a_form().model_dump_json(),
        country_names={},
        office_name="Ministry of Commerce",
        check_at="https://co.example/verify",
    )
    order = a_sealing(time_stamp_url=url).order(
        uuid4(), "PNH", "ABCD-EFGH-JKLM", date(2026, 3, 2), datetime(2026, 3, 2, tzinfo=UTC)
    )
    return sealed_page(page, order).pdf


def test_a_seal_has_the_time_stamp_of_the_server(tmp_path: Path) -> None:
    with a_time_stamp_server() as url:
        pdf = sealed(url)
    file = tmp_path / "stamped.pdf"
    file.write_bytes(pdf)

    seal = seal_of(pdf, office_keys().authority.read_bytes())
    shown = subprocess.run([program("pdfsig"), file], capture_output=True, text=True, check=False).stdout

    assert (seal.why, seal.time_stamped) == ("", True)
    assert "Signature is Valid" in shown


def test_while_the_server_is_away_the_document_waits() -> None:
    port = free_ports(["nobody"])["nobody"]
    with pytest.raises(Unavailable, match="time stamps"):
        sealed(f"http://127.0.0.1:{port}/")
