"""The verifiable credential of a certificate: W3C Verifiable Credentials 2.0, secured as a JWT (VC-JOSE-COSE, ES256).

`data_integrity` makes the other proof of the same credential.

Its status stands in a Bitstring Status List: one list for each form, year and office; the index is the serial number.
"""

import gzip
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from joserfc import jws
from joserfc.jwk import ECKey

from services.certificates.documents.orders import SealOrder
from services.certificates.domain.number import number_of
from shared.contracts.certificates.documents import FormD

CONTEXT = "https://www.w3.org/ns/credentials/v2"
OWN_TERMS = "https://www.w3.org/ns/credentials/undefined-terms/v2"
"""The context for terms that no vocabulary defines: the boxes of Form D (W3C VC 2.0, 5.3)."""
TYPE = "CertificateOfOriginCredential"
LEAST_BITS = 131_072
"""The least length of a status list, so that an entry does not name its holder."""
STATUS_VALID = timedelta(hours=24)


def claims_of(form: FormD, order: SealOrder) -> dict[str, Any]:
    """The credential: who issued the certificate, from when to when it is valid, its status, and every box of it."""
    name, _, serial = form.reference.rpartition("-")
    form_name, *_ = number_of(form.reference)
    status_list = f"{order.status_lists}/{name}"
    return {
        "@context": [CONTEXT, OWN_TERMS],
        "type": ["VerifiableCredential", TYPE],
        "id": order.credential_id,
        "issuer": order.issuer,
        "validFrom": _instant(datetime.combine(form.issued_on, time(), UTC)),
        "validUntil": _instant(datetime.combine(form.valid_until, time(23, 59, 59), UTC)),
        "credentialStatus": {
            "id": f"{status_list}#{int(serial)}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(int(serial)),
            "statusListCredential": status_list,
        },
        "credentialSubject": {"type": f"Form{form_name}", **form.model_dump(mode="json", exclude_none=True)},
    }


def status_claims(status_list: str, issuer: str, revoked: Iterable[int], now: datetime) -> dict[str, Any]:
    """The status list as a credential. `revoked`: the serial numbers of certificates that are no longer in force."""
    serials = set(revoked)
    bits = bytearray((max(serials, default=0) // LEAST_BITS + 1) * LEAST_BITS // 8)
    for serial in serials:
        bits[serial // 8] |= 0x80 >> serial % 8
    return {
        "@context": [CONTEXT],
        "id": status_list,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer,
        "validFrom": _instant(now),
        "validUntil": _instant(now + STATUS_VALID),
        "credentialSubject": {
            "id": f"{status_list}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": "u" + urlsafe_b64encode(gzip.compress(bytes(bits), mtime=0)).decode().rstrip("="),
        },
    }


def secured(claims: dict[str, Any], key: ECKey, key_id: str) -> str:
    """A credential as a compact JWT. `key_id`: the address of the public key in the DID document."""
    header = {"alg": "ES256", "kid": key_id, "typ": "vc+jwt", "cty": "vc"}
    content = json.dumps(claims, separators=(",", ":"), ensure_ascii=False)
    return jws.serialize_compact(header, content, key, algorithms=["ES256"])


def secured_by(claims: dict[str, Any], keystore: Path, password_file: Path, key_id: str) -> str:
    """The same with the key of an office. It runs in the process pool, which reads the private key."""
    return secured(claims, key_in(keystore.read_bytes(), password_file.read_bytes().strip()), key_id)


def key_in(keystore: bytes, password: bytes) -> ECKey:
    """The private key in a PKCS#12 file. Raises ValueError."""
    key, _, _ = pkcs12.load_key_and_certificates(keystore, password)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("the file holds no key on P-256")
    return ECKey.import_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _instant(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
