"""Signatures: XML-DSig, enveloped, ECDSA on P-256 with SHA-256, exclusive canonical XML."""

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

from services.gateway.wire.xml import MESSAGE

EXPECTED = SignatureConfiguration(
    location="./",
    expect_references=1,
    signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}),
    digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
)


class NotGenuine(Exception):
    """A message is not signed, as a whole and as it stands, by the one who claims to have sent it."""


@dataclass(frozen=True)
class Signer:
    """The certificate and key that this gateway signs with."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey

    @classmethod
    def read(cls, certificate_file: Path, key_file: Path) -> Self:
        """Reads both from PEM files. Raises ValueError where the key is not on P-256 or not the certificate's."""
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise ValueError(f"{key_file} must hold a private key on the curve P-256")
        if key.public_key() != certificate.public_key():
            raise ValueError(f"{key_file} is not the key of {certificate_file}")
        return cls(certificate, key)

    def sign(self, message: Any) -> bytes:
        """The signed message, ready to be sent."""
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
    """The message as its sender signed it, and nothing that was not signed. Raises NotGenuine."""
    try:
        verified = XMLVerifier().verify(root, x509_cert=certificate, expect_config=EXPECTED)
        assert not isinstance(verified, list)
    except Exception as error:
        # Whatever the verifier trips over in a hostile text, the text is not genuine.
        raise NotGenuine("the signature is not a valid one of the claimed sender for this text") from error
    if verified.signed_xml is None or verified.signed_xml.tag != MESSAGE or verified.signed_xml.getparent() is not None:
        raise NotGenuine("the signature does not cover the whole message")
    return verified.signed_xml
