"""The floor of whole lives does the product's work: both gateways accept each other's messages."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from bench.floors.exchange import Signatures, form, text_of
from bench.floors.process import now
from deploy.pki import document_signer
from services.gateway.wire import xml
from services.gateway.wire.messages import Document, Envelope, Kind
from services.gateway.wire.opening import Contents, open_message
from services.gateway.wire.signature import Signer
from tests.gateway.builders import a_form


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The certificate and the key of a gateway."""
    pair = document_signer("KH")
    certificate, key = tmp_path / "signer.crt", tmp_path / "signer.key"
    certificate.write_bytes(pair.certificate)
    key.write_bytes(pair.key)
    return certificate, key


@pytest.fixture
def signatures(files: tuple[Path, Path]) -> Signatures:
    """The signatures of a floor that is its own partner."""
    return Signatures(*files, files[0])


def message_of(signatures: Signatures) -> bytes:
    """A document as the floor sends it."""
    document = json.loads(a_form().model_dump_json())
    envelope = {"id": uuid4(), "sender": "KH", "receiver": "VN", "at": now(), "reference": document["reference"]}
    return signatures.sign("Document", form(document), envelope)


def test_the_product_accepts_a_document_of_the_floor(signatures: Signatures, files: tuple[Path, Path]) -> None:
    der = x509.load_pem_x509_certificate(files[0].read_bytes()).public_bytes(Encoding.DER)

    opened, _ = open_message(message_of(signatures), [der])

    assert isinstance(opened, Contents)
    assert opened.content == Document(form=a_form())


def test_the_floor_accepts_a_document_of_the_product(signatures: Signatures, files: tuple[Path, Path]) -> None:
    envelope = Envelope(
        message_id=uuid4(),
        kind=Kind.DOCUMENT,
        sender="KH",
        receiver="VN",
        sent_at=now(),
        reference=a_form().reference,
        number=1,
    )

    root = signatures.verify(Signer.read(*files).sign(xml.write_message(envelope, Document(form=a_form()))))

    assert text_of(root, "Reference") == a_form().reference


def test_the_floor_refuses_a_changed_document(signatures: Signatures) -> None:
    changed = message_of(signatures).replace(b"<Kind>Document", b"<Kind>Receipt ")

    with pytest.raises((ValueError, InvalidSignature)):
        signatures.verify(changed)
