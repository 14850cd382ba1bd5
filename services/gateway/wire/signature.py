"""Signatures: XML-DSig, enveloped, ECDSA on P-256 with SHA-256, exclusive canonical XML."""

from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from services.gateway.wire.xml import version_of

EXPECTED = SignatureConfiguration(
    location="./",
    expect_references=1,
    signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
)


class NotGenuine(Exception):
    """The complete message does not have a valid signature of its claimed sender."""


@dataclass(frozen=True)
class Signer:
    """The certificate and key that this gateway signs with."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    @classmethod
    def read(cls, certificate_file: Path, key_file: Path) -> Self:
        """Reads both from PEM files. Raises ValueError if the key is not on P-256 or not that of the certificate."""
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise ValueError(f"{key_file} must hold a private key on the curve P-256")
        if key.public_key() != certificate.public_key():
            raise ValueError(f"{key_file} is not the key of {certificate_file}")
        return cls(certificate, key)

    def sign(self, message: Any) -> bytes:
        """The XML of the message with its signature."""
        signer = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signed: bytes = etree.tostring(
            signer.sign(message, key=self.key, cert=[self.certificate]), encoding="UTF-8", xml_declaration=True
        )
        return signed


def as_signed(root: Any, certificate: x509.Certificate) -> Any:
    """Verifies the signature and returns only the signed part of the message. Raises NotGenuine."""
    try:
        verified = XMLVerifier().verify(root, x509_cert=certificate, expect_config=EXPECTED)
        assert not isinstance(verified, list)
    except Exception as error:
        # any error of the verifier means that the message is not genuine
        raise NotGenuine("it has no valid signature of the claimed sender") from error
    if verified.signed_xml is None or version_of(verified.signed_xml) is None or verified.signed_xml.getparent() is not None:
        raise NotGenuine("the signature does not cover the whole message")
    return verified.signed_xml


def as_signed_by_one(root: Any, certificates: Sequence[x509.Certificate]) -> tuple[Any, x509.Certificate]:
    """The signed part of a message, and the pinned certificate that verifies it. Raises NotGenuine."""
    for certificate in certificates[1:]:
        with suppress(NotGenuine):
            return as_signed(deepcopy(root), certificate), certificate
    return as_signed(root, certificates[0]), certificates[0]
