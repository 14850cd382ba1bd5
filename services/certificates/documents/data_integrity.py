"""A Data Integrity proof of a credential: cryptosuite `ecdsa-jcs-2019` (W3C, Data Integrity ECDSA Cryptosuites, 3.3)."""

import hashlib
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

P256 = b"\x80\x24"
"""The multicodec prefix of a public key on P-256."""
DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""The alphabet of base58btc."""


def method_of(issuer: str, key_id: str) -> str:
    """The address of a key as a Multikey in the DID document. The same key stands there as a JWK too, under its own id."""
    return f"{issuer}#{key_id}-multikey"


def multikey(certificate: str) -> str:
    """The public key in a certificate (PEM), as `publicKeyMultibase` (W3C Controlled Identifiers). Raises ValueError."""
    key = load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("the certificate holds no key on P-256")
    return _multibase(P256 + key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def proof_of(claims: dict[str, Any], key: EllipticCurvePrivateKey, method: str, created: datetime) -> dict[str, Any]:
    """The proof to embed in a credential as `proof`. `method`: the address of the public key."""
    proof: dict[str, Any] = {
        "@context": claims["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "ecdsa-jcs-2019",
        "created": created.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    hashed = hashlib.sha256(rfc8785.dumps(proof)).digest() + hashlib.sha256(rfc8785.dumps(claims)).digest()
    r, s = decode_dss_signature(key.sign(hashed, ECDSA(SHA256())))
    return proof | {"proofValue": _multibase(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}


def _multibase(content: bytes) -> str:
    number, digits = int.from_bytes(content, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = DIGITS[digit] + digits
    zeros = len(content) - len(content.lstrip(b"\0"))
    return "z" + DIGITS[0] * zeros + digits
