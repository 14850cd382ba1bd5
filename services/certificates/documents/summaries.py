"""The signed summary in the QR code of a certificate, and the verification code beside it.

The summary is a JWS (RFC 7515, ES256) of few short names, so that the QR code stays readable. It verifies offline with the
certificate of the office. The public site stores it only under the verification code, which it does not know.
"""

import hashlib
import json
import os
import secrets
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jws
from joserfc.jwk import ECKey

from shared.contracts.certificates.documents import FormD
from shared.contracts.certificates.sealing import CODE_ALPHABET, CODE_LENGTH, key_of_code

MAX_NAME = 60
"""Characters of a name in the summary: a QR code has little room."""


def new_code() -> str:
    """A new verification code, such as `ABCD-EFGH-JKLM`: 60 random bits, without characters that look alike."""
    text = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(text[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def summary_of(document: str) -> dict[str, str | int]:
    """The facts of a document for its QR code. `h`: the SHA-256 of the document as JSON, so that the data are bound too."""
    form = FormD.model_validate_json(document)
    return {
        "v": 1,
        "r": form.reference,
        "f": form.issuing_country,
        "t": form.destination,
        "i": form.issued_on.isoformat(),
        "u": form.valid_until.isoformat(),
        "x": form.exporter.name[:MAX_NAME],
        "c": form.consignee.name[:MAX_NAME],
        "n": len(form.items),
        "h": urlsafe_b64encode(hashlib.sha256(document.encode()).digest()).decode().rstrip("="),
    }


def signed(summary: dict[str, str | int], key: ECKey, key_id: str) -> str:
    """The summary as a compact JWS."""
    content = json.dumps(summary, separators=(",", ":"), ensure_ascii=False)
    return jws.serialize_compact({"alg": "ES256", "kid": key_id}, content, key, algorithms=["ES256"])


def locked(summary: str, code: str, reference: str) -> str:
    """The signed summary, encrypted under the verification code (AES-256-GCM; the nonce comes first), in base64url."""
    nonce = os.urandom(12)
    content = AESGCM(key_of_code(code, reference)).encrypt(nonce, summary.encode(), reference.encode())
    return urlsafe_b64encode(nonce + content).decode()
