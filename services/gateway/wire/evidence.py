"""Evidence: a message as it was exchanged, with the certificate of its signer. It can be verified at any later time."""

import zlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pydantic import ValidationError

from services.gateway.wire import xml
from services.gateway.wire.messages import Envelope, Receipt
from services.gateway.wire.signature import NotGenuine, as_signed
from shared.contracts.gateway.ledger import SignerCertificate, Verdict
from shared.xml.documents import NotXml, parse

ACCEPTED = "accepted"


@dataclass(frozen=True)
class Evidence:
    """A message as it was exchanged with a partner. `ours`: whether this gateway has sent it. `certificate`: DER.

    `outcome`: `accepted`, or the code of the refusal. `size`: bytes of the XML; `compressed`: the XML (zlib).
    """

    partner: str
    ours: bool
    envelope: Envelope
    outcome: str
    size: int
    compressed: bytes
    certificate: bytes


def evidence_of(
    partner: str, envelope: Envelope, message: bytes, certificate: bytes, outcome: str = ACCEPTED, *, ours: bool = False
) -> Evidence:
    """The evidence of a message that was exchanged now."""
    return Evidence(partner, ours, envelope, outcome, len(message), zlib.compress(message), certificate)


def outcome_of(receipt: Receipt) -> str:
    """`accepted`, or the code of the first reason of a refusal."""
    return receipt.reasons[0].code if receipt.reasons else ACCEPTED


def text_of(compressed: bytes, size: int) -> bytes:
    """The XML of a message. It has at most `size` bytes. Raises ValueError."""
    try:
        return zlib.decompressobj().decompress(compressed, size)
    except zlib.error as error:
        raise ValueError("the stored message cannot be read") from error


def verdict_on(compressed: bytes, size: int, certificate: bytes, about: tuple[object, ...]) -> tuple[Verdict, datetime | None]:
    """Verifies a stored message, and returns the time in it. `about`: message id, kind, reference and number of its row."""
    try:
        root = parse(text_of(compressed, size))
        signed = as_signed(root, x509.load_der_x509_certificate(certificate))
        version = xml.version_of(signed)
        assert version is not None  # a signature covers nothing else
        envelope = xml.read_envelope(signed, version)
    except NotGenuine:
        return Verdict.ALTERED, None
    except (ValueError, NotXml, ValidationError):
        return Verdict.UNREADABLE, None
    same = (envelope.message_id, envelope.kind.value, envelope.reference, envelope.number) == about
    return (Verdict.VALID if same else Verdict.ALTERED), envelope.sent_at


def signer_of(certificate: bytes, pinned: bool) -> SignerCertificate | None:
    """The facts of a certificate (DER); None if it cannot be read. `pinned`: whether it is used today."""
    try:
        read = x509.load_der_x509_certificate(certificate)
    except ValueError:
        return None
    return SignerCertificate(
        subject=read.subject.rfc4514_string(),
        serial=f"{read.serial_number:x}",
        sha256=read.fingerprint(hashes.SHA256()).hex(),
        valid_from=read.not_valid_before_utc,
        valid_until=read.not_valid_after_utc,
        pinned=pinned,
    )
